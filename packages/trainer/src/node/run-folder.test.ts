import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, open, readdir, readFile, rename, stat, truncate, utimes, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { CheckpointParts } from "../checkpoint/run-store";
import { processStart } from "./process-start";
import { createRun, latestRun, openRun } from "./run-folder";

const parent = () => mkdtemp(join(tmpdir(), "webmoe-runs-"));
const newRun = async () => createRun(join(await parent(), "run"), { seed: 1 });
const checkpoints = (run: { path: string }) => readdir(join(run.path, "checkpoints")).then((names) => names.sort());

/** A checkpoint whose only weight is its step. */
function parts(step: number, keep = 2): CheckpointParts {
  const data = async () => new Uint8Array(Uint32Array.of(step).buffer);
  const entry = { name: "w", dtype: "U32" as const, shape: [1], data };
  return { step, keep, state: { seed: 1 }, model: [entry], optimizer: [{ ...entry, name: "first.w" }] };
}

describe("createRun", () => {
  test("writes the configuration, and openRun finds it", async () => {
    const { path } = await newRun();
    expect(await (await openRun(path)).readConfig()).toEqual({ seed: 1 });
  });

  test("an empty folder will do, a folder with anything in it will not and stays as it was", async () => {
    const path = await parent();
    await createRun(path, {});
    await expect(createRun(path, { seed: 2 })).rejects.toThrow(
      /is not empty: choose another --out, or go on with --resume/,
    );
    expect(await (await openRun(path)).readConfig()).toEqual({});
    await expect(createRun(join(path, "config.json"), {})).rejects.toThrow(/needs a folder at/);
  });
});

describe("openRun", () => {
  test("a folder that no run made is refused", async () => {
    await expect(openRun(await parent())).rejects.toThrow(/has no config.json/);
  });

  test("a start that was cut off before the configuration was whole is begun again", async () => {
    const path = await parent();
    await writeFile(join(path, "config.json.writing"), '{"seed":');
    await writeFile(join(path, "lock.json"), "");
    await createRun(path, { seed: 3 });
    expect(await (await openRun(path)).readConfig()).toEqual({ seed: 3 });
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
  await createRun(join(folder, "b-old"), {});
  await createRun(join(folder, "a-new"), {});
  await mkdir(join(folder, "c-no-run"));
  await utimes(join(folder, "b-old", "config.json"), 1000, 1000);
  expect(await latestRun(folder)).toBe(join(folder, "a-new"));
});

test("metrics after the restored step are dropped, and a line cut off by a crash", async () => {
  const run = await newRun();
  await run.truncateMetrics(0);
  for (let step = 1; step <= 4; step++) await run.appendMetrics({ step, loss: 5 - step });
  await run.appendMetrics({ step: 2, split: "validation", loss: 3 });
  await run.close();
  const file = join(run.path, "metrics.jsonl");
  await writeFile(file, '{"step":3,"lo', { flag: "a" });
  await run.truncateMetrics(2);
  await run.appendMetrics({ step: 3, loss: 2 });
  await run.close();
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
    const run = await newRun();
    for (const step of [1, 2, 3, 10]) await run.saveCheckpoint(parts(step));
    expect(await checkpoints(run)).toEqual(["step-00000003", "step-00000010"]);
    await run.saveCheckpoint(parts(11, 0));
    expect(await checkpoints(run)).toEqual(["step-00000011"]);
  });

  test("the same step again replaces the first", async () => {
    const run = await newRun();
    await run.saveCheckpoint(parts(5));
    await run.saveCheckpoint({ ...parts(5), state: { seed: 9 } });
    expect((await run.latestCheckpoint())!.state.seed).toBe(9);
    expect(await checkpoints(run)).toEqual(["step-00000005"]);
  });

  test("the one with the best validation stays besides the last few", async () => {
    const run = await newRun();
    const validated: [number, number?][] = [[1, 3], [2, 2], [3, 2.5], [4], [5, 2.25], [6]];
    for (const [step, validationLoss] of validated) {
      await run.saveCheckpoint({ ...parts(step), state: { seed: 1, ...(validationLoss && { validationLoss }) } });
    }
    expect(await checkpoints(run)).toEqual(["step-00000002", "step-00000005", "step-00000006"]);
  });

  test("what killed writes and removals left is no checkpoint, and goes with the next one", async () => {
    const run = await newRun();
    const whole = await run.saveCheckpoint(parts(4));
    const folder = join(run.path, "checkpoints");
    for (const name of [".writing-step-00000005", ".removing-step-00000003"]) await mkdir(join(folder, name));
    // Killed between putting a checkpoint aside and giving its name to its successor.
    await rename(whole, join(folder, ".replaced-step-00000004"));
    expect((await run.latestCheckpoint())!.step).toBe(4);
    await run.saveCheckpoint(parts(4));
    await run.saveCheckpoint(parts(6));
    expect(await checkpoints(run)).toEqual(["step-00000004", "step-00000006"]);
  });

  test("one byte that changed, and a folder under the wrong name, are found", async () => {
    const run = await newRun();
    await run.saveCheckpoint(parts(1, 3));
    const changed = await run.saveCheckpoint(parts(2, 3));
    const file = await open(join(changed, "optimizer.safetensors"), "r+");
    await file.write(Uint8Array.of(7), 0, 1, (await file.stat()).size - 1);
    await file.close();
    const moved = await run.saveCheckpoint(parts(3, 3));
    await rename(moved, moved.replace(/3$/, "9"));
    const warnings: string[] = [];
    expect((await run.latestCheckpoint((message) => warnings.push(message)))!.step).toBe(1);
    expect(warnings).toEqual([
      expect.stringMatching(/step-00000009 is damaged \(state.json is of step 3\): trying the one before it/),
      expect.stringMatching(/step-00000002 is damaged \(optimizer.safetensors was changed\)/),
    ]);
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
    const run = await newRun();
    const damaged = await run.saveCheckpoint(parts(12, 1));
    await truncate(join(damaged, "model.safetensors"), 10);
    await run.saveCheckpoint(parts(7, 1));
    expect((await run.latestCheckpoint())!.step).toBe(7);
  });

  test("a write that fails leaves the earlier ones, and its remains are no checkpoint", async () => {
    const run = await newRun();
    await run.saveCheckpoint(parts(1, 1));
    const lost = { ...parts(2, 1).model[0]!, data: () => Promise.reject(new Error("device lost")) };
    await expect(run.saveCheckpoint({ ...parts(2, 1), model: [lost] })).rejects.toThrow("device lost");
    expect((await run.latestCheckpoint())!.step).toBe(1);
    await run.saveCheckpoint(parts(2, 1));
    expect(await checkpoints(run)).toEqual(["step-00000002"]);
  });
});

test("where the disk is full the error says what to do, and whether there is a checkpoint to go on from", async () => {
  const run = await newRun();
  const full = Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
  const saving = (step: number) => ({
    ...parts(step),
    model: [{ ...parts(step).model[0]!, data: () => Promise.reject(full) }],
  });
  await expect(run.saveCheckpoint(saving(1))).rejects.toThrow(
    /^run folder: the disk is full, writing in ".*run"; it has no checkpoint yet: free some space, then begin again with --resume ".*run"$/,
  );
  await run.saveCheckpoint(parts(1));
  await expect(run.saveCheckpoint(saving(2))).rejects.toThrow(
    /its last checkpoint is whole: free some space, then go on with --resume/,
  );
});

describe("lock", () => {
  test("a second trainer is refused, until the first is done", async () => {
    const run = await newRun();
    const second = await openRun(run.path);
    await expect(second.lock()).rejects.toThrow(
      new RegExp(`run folder: ".*run" is in use by process ${process.pid} since 2.*: wait until it ends`),
    );
    await run.close();
    await second.lock();
    await expect(run.lock()).rejects.toThrow(/in use/);
    await second.close();
    await expect(stat(join(run.path, "lock.json"))).rejects.toThrow();
  });

  test("of many that find a killed one's lock, one gets it", async () => {
    const run = await newRun();
    await run.close();
    // It says its lock is whole, and waits to be killed.
    const child = spawn(process.execPath, ["-e", "console.log(1); setInterval(() => {}, 1000)"]);
    await once(child.stdout, "data");
    await writeLock(run.path, { pid: child.pid!, started: await startOf(child.pid!) });
    await expect((await openRun(run.path)).lock()).rejects.toThrow(`in use by process ${child.pid}`);
    child.kill("SIGKILL");
    await once(child, "exit");
    const several = await Promise.all(Array.from({ length: 5 }, () => openRun(run.path)));
    const results = await Promise.allSettled(several.map((each) => each.lock()));
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });

  test("a later process of the same number does not hold it, and what is no lock blocks nobody", async () => {
    const { path, close } = await newRun();
    await close();
    for (const text of ["", "{", '{"pid":"1"}', '{"pid":-1}']) {
      await writeFile(join(path, "lock.json"), text);
      const run = await openRun(path);
      await run.lock();
      await run.close();
    }
    await writeLock(path, { pid: process.pid, started: "1" });
    await (await openRun(path)).lock();
  });

  test("one of another machine is named with the way out", async () => {
    const { path, close } = await newRun();
    await close();
    await writeLock(path, { pid: 1, started: "1", host: "elsewhere" });
    await expect((await openRun(path)).lock()).rejects.toThrow(/process 1 of elsewhere since .*delete ".*lock.json"/);
  });
});

const startOf = async (pid: number) => (await processStart(pid))!;

async function writeLock(path: string, holder: { pid: number; started: string; host?: string }): Promise<void> {
  await writeFile(join(path, "lock.json"), JSON.stringify({ host: hostname(), since: "2026-11-25", ...holder }));
}
