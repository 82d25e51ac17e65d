import { testGpu } from "@webmoe/webgpu/testing";
import { expect, test } from "vitest";
import { resolveConfig } from "../config/resolve";
import { makeModel } from "../run-model";
import { timeReading } from "./time-reading";

test("steps whose loss is read are compared with steps whose loss is not, in one session", async () => {
  const small = ["model.dim=16", "model.context=16", "batch.size=2", "moe.hidden=8", "router.dim=8"];
  const config = resolveConfig({ preset: "nano", set: small });
  const cost = await timeReading(await testGpu(), await makeModel(config), config, { steps: 2, pairs: 3, warmUp: 0 });
  expect(cost).toMatchObject({ preset: "nano", router: "recurrent", pairs: 3, stepsPerStretch: 2 });
  expect(cost.msWithout).toBeGreaterThan(0);
  expect(cost.spread[0]).toBeLessThanOrEqual(cost.cost);
  expect(cost.spread[1]).toBeGreaterThanOrEqual(cost.cost);
});
