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
  const { parts, ...counts } = size;
  const names = {
    total: "parameters",
    active: "active per token",
    router: "router",
    routerFrozen: "router, not learned",
    routerFlopsPerToken: "router FLOPs a token",
    flopsPerToken: "training FLOPs a token",
  };
  const row = (name: string, value: number) =>
    console.log(`${name.padEnd(24)} ${value.toLocaleString("en-US").padStart(16)}  ${shortNumber(value)}`);
  for (const [key, name] of Object.entries(names)) row(name, counts[key as keyof typeof counts]);
  console.log("\nparameters by part");
  for (const { name, total } of parts) row(`  ${name}`, total);
}
