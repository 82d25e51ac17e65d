// What happens to runs that are killed, interrupted or run out of disk: the program itself, bundled once so that it starts fast.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, watch } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { fold, key } from "@webmoe/tensor";
import { openRun } from "@webmoe/trainer/node";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sets, withoutDawn } from "./run-webmoe";

const folder = await mkdtemp(join(tmpdir(), "webmoe-faults-"));
// Beside the packages that are not bundled, and one folder below package.json, as main.ts is.
const program = fileURLToPath(new URL(`../node_modules/.faults-${process.pid}.mjs`, import.meta.url));

beforeAll(async () => {
  await build({
    entryPoints: [fileURLToPath(new URL("./main.ts", import.meta.url))],
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    outfile: program,
    external: ["webgpu", "esbuild"],
    banner: { js: 'import { createRequire as from } from "node:module"; const require = from(import.meta.url);' },
    logLevel: "error",
  });
  const sentences = Array.from({ length: 300 }, (_, i) => `The ${i * 7919} whales swam ${i % 13} miles to the sea. `);
  await writeFile(join(folder, "text.txt"), sentences.join(""));
});

afterAll(() => rm(program, { force: true }));

const small = sets(
  ...["model.layers=1", "model.dim=16", "model.context=16", "moe.hidden=8", "router.dim=8", "batch.size=2"],
  ...["validation.batches=1", "sample.tokens=0", "log.every=1"],
);

interface Running {
  child: ChildProcess;
  /** What it wrote so far. */
  out: string;
  error: string;
  exited: Promise<{ code: number | null; signal: string | null }>;
  /** Resolves when it has written something that matches, or exited. */
  says(pattern: RegExp): Promise<void>;
}

/** Start `webmoe train`. */
function train(args: string[], command = [process.execPath, program]): Running {
  const [first, ...rest] = [...command, "train", ...args];
  const child = spawn(first!, rest, { cwd: folder, env: { ...process.env, NO_COLOR: "1" } });
  const running: Running = {
    child,
    out: "",
    error: "",
    exited: once(child, "close").then(([code, signal]) => ({ code, signal })),
    async says(pattern) {
      while (!pattern.test(running.out) && child.exitCode === null && child.signalCode === null) {
        await Promise.race([once(child.stdout!, "data"), running.exited]);
      }
    },
  };
  child.stdout!.on("data", (data) => {
    running.out += data;
  });
  child.stderr!.on("data", (data) => {
    running.error += withoutDawn(`${data}`);
  });
  return running;
}

/** What a run learned and said, without its times. */
async function result(name: string) {
  const lines = (await readFile(join(folder, name, "metrics.jsonl"), "utf8")).trim().split("\n");
  const checkpoint = (await (await openRun(join(folder, name))).latestCheckpoint())!;
  const tensors: Record<string, string> = {};
  for (const part of [checkpoint.model, checkpoint.optimizer]) {
    for (const tensor of part.names()) tensors[tensor] = Buffer.from(await part.read(tensor)).toString("base64");
  }
  const metrics = lines.map((line) => ({ ...JSON.parse(line), tokensPerSecond: 0, elapsedSeconds: 0 }));
  return { step: checkpoint.step, tensors, metrics };
}

const checkpoints = (path: string) => readdir(join(path, "checkpoints")).catch(() => []);

/** The step of the last checkpoint that is whole. */
const lastStep = async (path: string) => (await (await openRun(path)).latestCheckpoint())?.step;

/** A number in [0, 1), the same every time for a name. */
const chance = (name: string) => fold(key(1), name)[0]! / 2 ** 32;

test("killed at 20 random points and more, also inside writes, --resume auto ends with the bits of an unbroken run", async () => {
  const args = ["--data", "text.txt", "--steps", "240", ...small, ...sets("checkpoint.every=4", "validation.every=12")];
  const unbroken = train([...args, "--out", "unbroken"]);

  const path = join(folder, "killed");
  mkdirSync(join(path), { recursive: true });
  let kills = 0;
  let insideWrites = 0;
  while (kills < 20 || insideWrites < 3) {
    const number = kills++;
    expect(number).toBeLessThan(40);
    const running = train([...args, "--out", "killed", "--resume", "auto"]);
    if (number % 4 === 0) {
      // While it starts, reads its checkpoint or compiles.
      await sleep(1500 * chance(`start ${number}`));
    } else {
      await running.says(/^step +\d+\//m);
      if (number % 2 === 1) await sleep(120 * chance(`step ${number}`));
      else {
        await nextWrite(join(path, "checkpoints"), running);
        await sleep(12 * chance(`write ${number}`));
      }
    }
    running.child.kill("SIGKILL");
    expect(await running.exited).toEqual({ code: null, signal: "SIGKILL" });
    if ((await checkpoints(path)).some((name) => name.startsWith(".writing-"))) insideWrites++;
  }

  const last = train([...args, "--out", "killed", "--resume", "auto"]);
  expect(await last.exited).toEqual({ code: 0, signal: null });
  expect(last.error).toBe("");
  expect(await unbroken.exited).toEqual({ code: 0, signal: null });
  const [whole, broken] = [await result("unbroken"), await result("killed")];
  expect(broken.step).toBe(240);
  expect(broken.metrics).toEqual(whole.metrics);
  expect(broken.tensors).toEqual(whole.tensors);

  const again = train([...args, "--out", "killed", "--resume", "auto"]);
  expect(await again.exited).toEqual({ code: 0, signal: null });
  expect(again.out).toContain('the run in "killed" is done at step 240');
}, 400_000);

/** Resolves when a checkpoint begins to be written, or the process is gone. */
async function nextWrite(path: string, { exited }: Running): Promise<void> {
  await mkdir(path, { recursive: true });
  const watcher = watch(path);
  const begins = new Promise<void>((resolve) => {
    watcher.on("change", (_, name) => `${name}`.startsWith(".writing-") && resolve());
  });
  await Promise.race([begins, exited]);
  watcher.close();
}

describe("signals", () => {
  test.each([
    ["SIGINT", "interrupted"],
    ["SIGTERM", "terminated"],
  ] as const)("%s once: a checkpoint, and 130; a second trainer is refused meanwhile", async (signal, name) => {
    const running = train(["--data", "text.txt", "--out", name, "--steps", "100000", ...small]);
    await running.says(/^step +3\//m);
    const second = train(["--resume", name]);
    expect(await second.exited).toEqual({ code: 1, signal: null });
    expect(second.error).toMatch(/^webmoe: run folder: ".*" is in use by process \d+ since .*\n$/);
    running.child.kill(signal);
    expect(await running.exited).toEqual({ code: 130, signal: null });
    const step = (await lastStep(join(folder, name)))!;
    expect(step).toBeGreaterThanOrEqual(3);
    expect(running.out.match(/^stopping after this step, with a checkpoint/gm)).toHaveLength(1);
    expect(running.out).toContain(`stopped at step ${step} of 100000 in`);
    expect(running.out).toContain(`--resume ${name}`);
    expect(await readdir(join(folder, name))).not.toContain("lock.json");

    const resumed = train(["--resume", name, "--steps", `${step + 1}`]);
    expect(await resumed.exited).toEqual({ code: 0, signal: null });
    expect(resumed.out).toContain(`from step ${step}`);
  });

  test("Ctrl-C twice leaves at once, in the middle of a step", async () => {
    const running = train(["--data", "text.txt", "--out", "left", ...small, ...sets("batch.accumulate=20000")]);
    await running.says(/^step +\d+ dispatches/m);
    await sleep(1000);
    running.child.kill("SIGINT");
    await running.says(/^stopping after this step/m);
    await sleep(700);
    running.child.kill("SIGINT");
    expect(await running.exited).toEqual({ code: null, signal: "SIGINT" });
    expect(await checkpoints(join(folder, "left"))).toEqual([]);
    expect(await readdir(join(folder, "left"))).not.toContain("lock.json");
  });

  test.each(["SIGINT", "SIGTERM"] as const)("a dry run that %s ends leaves nothing", async (signal) => {
    const probes = async () => (await readdir(folder)).filter((name) => name.startsWith(".webmoe-dry-run-"));
    const running = train([
      "--dry-run",
      "--data",
      "text.txt",
      "--out",
      "tried",
      ...small,
      ...sets("batch.accumulate=20000"),
    ]);
    while ((await probes()).length === 0) await sleep(20);
    running.child.kill(signal);
    expect(await running.exited).toEqual({ code: null, signal });
    expect(await probes()).toEqual([]);
  });
});

describe("a full disk", () => {
  const disk = join(folder, "disk");
  const mount = (...options: string[]) => spawnSync("mount", options).status === 0;
  mkdirSync(disk);
  const mounted = mount("-t", "tmpfs", "-o", "size=480k", "tmpfs", disk);
  afterAll(() => {
    if (mounted) spawnSync("umount", [disk]);
  });

  // Where mounting is not allowed, the next test alone has to do.
  if (mounted)
    test("stops the run with one line and leaves the last checkpoint whole", async () => {
      const args = ["--data", "text.txt", "--steps", "12", ...small, ...sets("checkpoint.every=2")];
      const running = train([...args, "--out", "disk/run"]);
      await checkStopped(running, join(disk, "run"), /the disk is full, writing in "disk\/run"/);
      expect(mount("-o", "remount,size=8m", disk)).toBe(true);
      expect(await train([...args, "--out", "disk/run", "--resume", "auto"]).exited).toEqual({ code: 0, signal: null });
      expect(await lastStep(join(disk, "run"))).toBe(12);
    });

  test("or a limit on the length of files stops it in the same way", async () => {
    const running = train(["--data", "text.txt", "--out", "limited", "--steps", "100000", ...small]);
    await running.says(/^step +2\//m);
    running.child.kill("SIGINT");
    expect(await running.exited).toEqual({ code: 130, signal: null });
    const { size } = await stat(join(folder, "limited/metrics.jsonl"));
    const resumed = train(["--resume", "limited", "--steps", "100000"]);
    await resumed.says(/^step +\d+\//m);
    // Software drivers keep memory in files, so the limit comes when theirs are there.
    spawnSync("prlimit", ["--pid", `${resumed.child.pid}`, `--fsize=${size + 4096}`]);
    await checkStopped(resumed, join(folder, "limited"), /a file may not be that long here, writing in "limited"/);
    const step = (await lastStep(join(folder, "limited")))!;
    expect(await train(["--resume", "limited", "--steps", `${step + 4}`]).exited).toEqual({ code: 0, signal: null });
  });

  async function checkStopped(running: Running, path: string, message: RegExp): Promise<void> {
    expect((await running.exited).code).toBe(1);
    expect(running.error.trim().split("\n")).toEqual([expect.stringMatching(message)]);
    const step = await lastStep(path);
    expect(step).toBeGreaterThanOrEqual(2);
    expect((await checkpoints(path)).filter((name) => name.startsWith("."))).toEqual([]);
  }
});
