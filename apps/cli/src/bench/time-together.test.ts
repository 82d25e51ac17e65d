import { testGpu } from "@webmoe/webgpu/testing";
import { expect, test } from "vitest";
import { resolveConfig } from "../config/resolve";
import { makeModel } from "../run-model";
import { timeTogether } from "./time-together";

const small = ["model.dim=16", "model.context=16", "batch.size=2", "moe.hidden=8"];

test("several configurations are timed in the rounds that are asked for, those that warm the device left out", async () => {
  const subjects = await Promise.all(
    ["recurrent", "linear"].map(async (router) => {
      const config = resolveConfig({ preset: "nano", router, set: small });
      return { config, model: await makeModel(config) };
    }),
  );
  async function* requests() {
    yield { counts: false };
    yield { counts: true };
    yield { counts: true };
  }
  const gpu = await testGpu();
  const held = gpu.memoryUsed;
  const results = await timeTogether(gpu, subjects, { steps: 2, warmUp: 0, profile: true, requests: requests() });
  expect(results.map(({ router }) => router)).toEqual(["recurrent", "linear"]);
  for (const { rounds, steps, msPerStep, submits, profile, dispatches } of results) {
    expect(rounds).toHaveLength(2);
    expect(msPerStep).toBeCloseTo((rounds[0]! + rounds[1]!) / 2);
    expect(steps).toBe(4);
    expect(submits).toBe(1);
    expect(profile).toHaveLength(dispatches);
  }
  expect(gpu.memoryUsed).toBe(held);
});

test("without a request there is nothing to say", async () => {
  const config = resolveConfig({ preset: "nano", set: small });
  const gpu = await testGpu();
  const held = gpu.memoryUsed;
  async function* requests() {}
  const options = { steps: 1, warmUp: 0, profile: false, requests: requests() };
  const timing = timeTogether(gpu, [{ config, model: await makeModel(config) }], options);
  await expect(timing).rejects.toThrow("--paced: needs a line for each round on the standard input, got none");
  expect(gpu.memoryUsed).toBe(held);
});
