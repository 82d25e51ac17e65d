import { expect, test } from "vitest";
import { memoryRun } from "./memory-run";

test("keeps metrics and a checkpoint of its own bytes", async () => {
  const run = memoryRun();
  expect(await run.latestCheckpoint()).toBeUndefined();
  await run.appendMetrics({ step: 1, loss: 5 });
  expect(run.metrics).toEqual([{ step: 1, loss: 5 }]);

  const source = Uint8Array.of(1, 2, 3, 4);
  const entry = { name: "w", dtype: "F32" as const, shape: [1], data: async () => source };
  await run.saveCheckpoint({ step: 2, state: { seed: 7 }, model: [entry], optimizer: [] });
  source.fill(9);
  const checkpoint = (await run.latestCheckpoint())!;
  expect(checkpoint.state).toEqual({ seed: 7, step: 2 });
  expect(checkpoint.model.names()).toEqual(["w"]);
  expect(checkpoint.model.shape("w")).toEqual([1]);
  expect(checkpoint.model.shape("v")).toBeUndefined();
  expect(await checkpoint.model.read("w")).toEqual(Uint8Array.of(1, 2, 3, 4));
  await expect(checkpoint.optimizer.read("w")).rejects.toThrow(/has no tensor "w"/);
});

test("a checkpoint that fails leaves the one before it", async () => {
  const run = memoryRun();
  await run.saveCheckpoint({ step: 1, state: {}, model: [], optimizer: [] });
  const lost = { name: "w", dtype: "F32" as const, shape: [1], data: () => Promise.reject(new Error("device lost")) };
  await expect(run.saveCheckpoint({ step: 2, state: {}, model: [lost], optimizer: [] })).rejects.toThrow("device lost");
  expect((await run.latestCheckpoint())!.step).toBe(1);
});
