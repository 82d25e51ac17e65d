import { measureModel } from "@webmoe/model";
import { type ConfigFlags, resolveConfig } from "../config/resolve";
import { makeModel } from "../run-model";
import { shortNumber } from "../terminal/format";

/** Count the parameters and the arithmetic of a configuration. */
export async function paramsCommand({ json, ...flags }: ConfigFlags & { json: boolean }): Promise<void> {
  const model = await makeModel(resolveConfig(flags));
  const size = measureModel(model);
  if (json) {
    console.log(JSON.stringify(size));
    return;
  }
  const names = {
    total: "parameters",
    active: "active per token",
    router: "router",
    routerFrozen: "router, not learned",
    routerFlopsPerToken: "router FLOPs a token",
    flopsPerToken: "training FLOPs a token",
  };
  for (const [key, name] of Object.entries(names)) {
    const value = size[key as keyof typeof size];
    console.log(`${name.padEnd(24)} ${value.toLocaleString("en-US").padStart(16)}  ${shortNumber(value)}`);
  }
}
