import { mkdir, mkdtemp, readdir, readFile, truncate, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { CheckpointParts } from "../run-store";
import { createRun, latestRun, openRun } from "./run-folder";

const parent = () => mkdtemp(join(tmpdir(), "webmoe-runs-"));
const newRun = async (keep = 2) => createRun(join(await parent(), "run"), { seed: 1 }, keep);
const checkpoints = (run: { path: string }) => readdir(join(run.path, "checkpoints")).then((names) => names.sort());

/** A checkpoint whose only weight is its step. */
function parts(step: number): CheckpointParts {
  const data = async () => new Uint8Array(Uint32Array.of(step).buffer);
  const entry = { name: "w", dtype: "U32" as const, shape: [1], data };
  return { step, state: { seed: 1 }, model: [entry], optimizer: [{ ...entry, name: "first.w" }] };
}

describe("createRun", () => {
  test("writes the configuration, and openRun finds it", async () => {
    const { path } = await newRun();
    expect(await (await openRun(path)).readConfig()).toEqual({ seed: 1 });
  });

  test("an empty folder will do, a folder with anything in it will not and stays as it was", async () => {
    const path = await parent();
    await createRun(path, {}, 1);
    await expect(createRun(path, { seed: 2 }, 1)).rejects.toThrow(
      /is not empty: choose another --out, or go on with --resume/,
    );
    expect(await (await openRun(path)).readConfig()).toEqual({});
    await expect(createRun(join(path, "config.json"), {}, 1)).rejects.toThrow(/needs a folder at/);
  });
});

describe("openRun", () => {
  test("a folder that no run made is refused", async () => {
    await expect(openRun(await parent())).rejects.toThrow(/has no config.json/);
  });

  test("a damaged configuration is named", async () => {
    const { path } = await newRun();
    await writeFile(join(path, "config.json"), '{"seed":');
    await expect((await openRun(path)).readConfig()).rejects.toThrow(/needs JSON in ".*config.json"/);
  });
});

test("latestRun is the newest folder with a configuration", async () => {
  const folder = await parent();
  expect(await latestRun(join(folder, "nowhere"))).toBeUndefined();
  await createRun(join(folder, "b-old"), {}, 1);
  await createRun(join(folder, "a-new"), {}, 1);
  await mkdir(join(folder, "c-no-run"));
  await utimes(join(folder, "b-old", "config.json"), 1000, 1000);
  expect(await latestRun(folder)).toBe(join(folder, "a-new"));
});

test("metrics after the restored step are dropped, and a line cut off by a crash", async () => {
  const run = await newRun();
  await run.truncateMetrics(0);
  for (let step = 1; step <= 4; step++) await run.appendMetrics({ step, loss: 5 - step });
  await run.appendMetrics({ step: 2, split: "validation", loss: 3 });
  const file = join(run.path, "metrics.jsonl");
  await writeFile(file, '{"step":3,"lo', { flag: "a" });
  await run.truncateMetrics(2);
  await run.appendMetrics({ step: 3, loss: 2 });
  expect((await readFile(file, "utf8")).split("\n")).toEqual([
    '{"step":1,"loss":4}',
    '{"step":2,"loss":3}',
    '{"step":2,"split":"validation","loss":3}',
    '{"step":3,"loss":2}',
    "",
  ]);
  expect((await readdir(run.path)).sort()).toEqual(["config.json", "metrics.jsonl"]);
});

describe("checkpoints", () => {
  test("the latest is read back", async () => {
    const run = await newRun();
    expect(await run.latestCheckpoint()).toBeUndefined();
    expect(await run.saveCheckpoint(parts(200))).toBe(join(run.path, "checkpoints", "step-00000200"));
    const checkpoint = (await run.latestCheckpoint())!;
    expect(checkpoint).toMatchObject({ step: 200, state: { step: 200, seed: 1 } });
    expect(await checkpoint.model.read("w")).toEqual(await parts(200).model[0]!.data());
    expect(checkpoint.optimizer.names()).toEqual(["first.w"]);
    expect((await readdir(join(run.path, "checkpoints", "step-00000200"))).sort()).toEqual([
      "model.safetensors",
      "optimizer.safetensors",
      "state.json",
    ]);
  });

  test("the last few stay, and one always does", async () => {
    const run = await newRun(2);
    for (const step of [1, 2, 3, 10]) await run.saveCheckpoint(parts(step));
    expect(await checkpoints(run)).toEqual(["step-00000003", "step-00000010"]);
    await (await openRun(run.path, 0)).saveCheckpoint(parts(11));
    expect(await checkpoints(run)).toEqual(["step-00000011"]);
  });

  test("the same step again replaces the first", async () => {
    const run = await newRun();
    await run.saveCheckpoint(parts(5));
    await run.saveCheckpoint({ ...parts(5), state: { seed: 9 } });
    expect((await run.latestCheckpoint())!.state.seed).toBe(9);
    expect(await checkpoints(run)).toEqual(["step-00000005"]);
  });

  test.each(["model.safetensors", "optimizer.safetensors", "state.json"])(
    "one with a damaged %s is passed over",
    async (file) => {
      const run = await newRun();
      await run.saveCheckpoint(parts(1));
      const damaged = await run.saveCheckpoint(parts(2));
      await truncate(join(damaged, file), 10);
      const warnings: string[] = [];
      expect((await run.latestCheckpoint((message) => warnings.push(message)))!.step).toBe(1);
      expect(warnings).toEqual([expect.stringContaining("step-00000002 is damaged")]);
    },
  );

  test("a damaged later one never pushes out the only good one", async () => {
    const run = await newRun(1);
    const damaged = await run.saveCheckpoint(parts(12));
    await truncate(join(damaged, "model.safetensors"), 10);
    await run.saveCheckpoint(parts(7));
    expect((await run.latestCheckpoint())!.step).toBe(7);
  });

  test("a write that fails leaves the earlier ones, and its remains are no checkpoint", async () => {
    const run = await newRun(1);
    await run.saveCheckpoint(parts(1));
    const lost = { ...parts(2).model[0]!, data: () => Promise.reject(new Error("device lost")) };
    await expect(run.saveCheckpoint({ ...parts(2), model: [lost] })).rejects.toThrow("device lost");
    expect((await run.latestCheckpoint())!.step).toBe(1);
    await run.saveCheckpoint(parts(2));
    expect(await checkpoints(run)).toEqual(["step-00000002"]);
  });
});
