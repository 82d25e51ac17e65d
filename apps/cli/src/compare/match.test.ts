import { measureModel } from "@webmoe/model";
import { expect, test } from "vitest";
import { resolveConfig } from "../config/resolve";
import { makeModel } from "../run-model";
import { matchSize } from "./match";

const sizes = ["model.dim=32", "moe.hidden=64", "moe.experts=4"];
const configFor = (router: string, set: string[] = []) => resolveConfig({ router, set: [...sizes, ...set] });
const target = measureModel(await makeModel(configFor("linear")));

// SwiGLU experts: a width of 8 more is 3 * 32 * 8 parameters an expert, of 4 experts in 2 layers, 2 of them active.
test.each([
  ["total", 3 * 32 * 8 * 4 * 2],
  ["active", 3 * 32 * 8 * 2 * 2],
] as const)("experts of another width bring %s parameters within half a step", async (match, step) => {
  const config = configFor("recurrent", ["router.dim=32"]);
  const before = measureModel(await makeModel(config));
  expect(before[match] - target[match]).toBeGreaterThan(step / 2);
  const { config: matched, size, note } = await matchSize(config, match, target);
  expect(matched.moe.hidden % 8).toBe(0);
  expect(matched.moe.hidden).toBeLessThan(64);
  expect(Math.abs(size[match] - target[match])).toBeLessThanOrEqual(step / 2);
  expect(note).toBe(
    `moe.hidden 64 -> ${matched.moe.hidden}; ${size[match].toLocaleString("en-US")} ${match} parameters, the baseline has ` +
      `${target[match].toLocaleString("en-US")} (${size[match] >= target[match] ? "+" : ""}${((100 * (size[match] - target[match])) / target[match]).toFixed(2)} %)`,
  );
  // One step further either way is worse.
  for (const hidden of [matched.moe.hidden - 8, matched.moe.hidden + 8]) {
    const other = measureModel(await makeModel({ ...config, moe: { ...config.moe, hidden } }));
    expect(Math.abs(other[match] - target[match])).toBeGreaterThanOrEqual(Math.abs(size[match] - target[match]));
  }
});

test.each([
  ["recurrent", "dim", 1],
  ["xmoe", "dim", 1],
  ["mlp", "hidden", 1],
  ["flow", "dim", 2],
  ["recurrent+xmoe", "dim", 1],
])("the width of %s itself comes as near as it can", async (router, option, step) => {
  const wide = measureModel(await makeModel(configFor("linear", ["moe.experts=64"])));
  const config = configFor(router);
  const { config: matched, size } = await matchSize(config, "router", wide);
  const width = matched.router[option] as number;
  expect(matched.moe).toEqual(config.moe);
  expect(width % step).toBe(0);
  for (const other of [width - step, width + step].filter((width) => width > 0)) {
    const { router } = measureModel(await makeModel({ ...config, router: { ...config.router, [option]: other } }));
    expect(Math.abs(router - wide.router)).toBeGreaterThanOrEqual(Math.abs(size.router - wide.router));
  }
});

test("a router without a width stays, and the difference is said; none changes nothing", async () => {
  const config = configFor("random");
  const { config: same, note } = await matchSize(config, "router", target);
  expect(same).toEqual(config);
  expect(note).toBe("it has no width of its own; 0 router parameters, the baseline has 256 (-100.00 %)");
  const free = await matchSize(config, "none", target);
  expect([free.config, free.note]).toEqual([config, undefined]);
});
