import { type ModelSize, measureModel } from "@webmoe/model";
import type { Config } from "../config/schema";
import { routerWidth } from "../routers";
import { makeModel } from "../run-model";

/** What `--match` can make equal; `none` leaves every configuration as it is. */
export const MATCHES = ["none", "total", "active", "router"] as const;

export type Match = (typeof MATCHES)[number];

/** A configuration after matching. */
export interface Matched {
  config: Config;
  size: ModelSize;
  /** What was made equal and how far that went, in a sentence; undefined where nothing was asked for. */
  note?: string;
}

/** Widths are looked for up to here. */
const WIDEST = 1 << 14;

/**
 * Bring a configuration's parameters as near to those of the baseline as its width allows: with `total` and `active` the width
 * of experts, in multiples of 8, with `router` the router's own.
 */
export async function matchSize(config: Config, match: Match, baseline: ModelSize): Promise<Matched> {
  const measured = async (candidate: Config) => measureModel(await makeModel(candidate, () => {}));
  const size = await measured(config);
  if (match === "none") return { config, size };
  const width = match === "router" ? routerWidth(config.router) : { key: "moe.hidden", step: 8 };
  const target = baseline[match];
  if (!width) return { config, size, note: `it has no width of its own; ${remaining(match, size, target)}` };

  const withWidth = (value: number): Config =>
    match === "router"
      ? { ...config, router: { ...config.router, [width.key.replace("router.", "")]: value } }
      : { ...config, moe: { ...config.moe, hidden: value } };
  const sizeAt = async (steps: number) => (await measured(withWidth(steps * width.step)))[match];
  let [low, high] = [1, Math.floor(WIDEST / width.step)]; // low ends at the first width with at least the target
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if ((await sizeAt(middle)) < target) low = middle + 1;
    else high = middle;
  }
  const below = Math.max(1, low - 1);
  const nearer = Math.abs((await sizeAt(below)) - target) <= Math.abs((await sizeAt(low)) - target) ? below : low;
  const chosen = withWidth(nearer * width.step);
  const own = await measured(chosen);
  const before =
    match === "router" ? (config.router[width.key.replace("router.", "")] ?? "default") : config.moe.hidden;
  const after = nearer * width.step;
  const change = before === after ? `${width.key} stays ${after}` : `${width.key} ${before} -> ${after}`;
  return { config: chosen, size: own, note: `${change}; ${remaining(match, own, target)}` };
}

/** "15,100,000 total parameters, the baseline has 15,098,112 (+0.01 %)" */
function remaining(match: Exclude<Match, "none">, size: ModelSize, target: number): string {
  const own = size[match];
  const percent = target === 0 ? "" : ` (${own >= target ? "+" : ""}${((100 * (own - target)) / target).toFixed(2)} %)`;
  const count = (value: number) => value.toLocaleString("en-US");
  return `${count(own)} ${match} parameters, the baseline has ${count(target)}${percent}`;
}
