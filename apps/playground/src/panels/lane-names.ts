import { computed } from "@preact/signals";
import { routerNamed } from "@webmoe/routers";
import { lanes } from "../state/run";

/** What the runs that are shown are called: by their routers, and where these are the same, by A and B. */
export const laneNames = computed(() => {
  const titles = lanes.value.map(({ configuration: { router } }) => routerNamed(router.name)?.title ?? "Own code");
  return titles.map((title, index) =>
    titles.indexOf(title) === titles.lastIndexOf(title) ? title : `${title} ${"AB"[index]}`,
  );
});
