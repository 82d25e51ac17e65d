import { testGpu } from "@webmoe/webgpu/testing";
import { expect, test } from "vitest";
import { resolveConfig } from "../config/resolve";
import { makeModel } from "../run-model";
import { timeMetrics } from "./time-metrics";

test("steps that say what routers did are compared with steps that do not, which leave out kernels", async () => {
  const small = [
    "model.dim=16",
    "model.context=16",
    "batch.size=2",
    "moe.hidden=8",
    "router.dim=8",
    "moe.balanceLoss=0",
  ];
  const config = resolveConfig({ preset: "nano", set: small });
  const model = await makeModel(config);
  const cost = await timeMetrics(await testGpu(), model, config, { steps: 2, pairs: 3, warmUp: 0 });
  expect(cost).toMatchObject({ preset: "nano", router: "recurrent", pairs: 3, stepsPerStretch: 2 });
  const [without, full] = cost.dispatches;
  expect(without).toBeLessThan(full);
  const [low, high] = cost.spread;
  expect(low).toBeLessThanOrEqual(cost.cost);
  expect(high).toBeGreaterThanOrEqual(cost.cost);
});
