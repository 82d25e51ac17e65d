import { access, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { sets, webmoeIn } from "./run-webmoe";

const folder = await mkdtemp(join(tmpdir(), "webmoe-cli-"));
const webmoe = webmoeIn(folder);

const small = sets("model.dim=16", "model.context=16", "batch.size=2", "moe.hidden=8", "router.dim=8");

describe("a run from start to end", () => {
  test("train leaves a run folder, which resumes, validates and samples", async () => {
    const first = await webmoe(
      "train",
      ...small,
      "--steps",
      "6",
      "--out",
      "run",
      "--set",
      "checkpoint.every=3",
      "--set",
      "sample.tokens=20",
    );
    expect(first.error).toBe("");
    expect(first.code).toBe(0);
    for (const part of [
      "compiling kernels",
      "step 6/6",
      "bits per byte",
      "expert load",
      "sample",
      "the run is in run",
    ]) {
      expect(first.out).toContain(part);
    }
    const metrics = (await readFile(join(folder, "run/metrics.jsonl"), "utf8"))
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(metrics.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6, 6]);
    expect(Object.keys(metrics[0]).sort()).toEqual([
      "elapsedSeconds",
      "gradNorm",
      "loss",
      "lr",
      "router",
      "step",
      "tokensPerSecond",
    ]);
    expect(metrics[6]).toMatchObject({ step: 6, split: "validation" });

    const resumed = await webmoe("train", "--resume", "run", "--steps", "8");
    expect(resumed.out).toContain("resuming run from step 6");
    expect(resumed.code).toBe(0);

    const evaluated = await webmoe("eval", "--from", "run", "--json");
    const { step, bitsPerByte } = JSON.parse(evaluated.out);
    expect(step).toBe(8);
    expect(resumed.out).toContain(`${bitsPerByte.toFixed(3)} bits per byte`);

    const sample = () => webmoe("sample", "--from", "run", "--prompt", "The whale", "--tokens", "12", "--seed", "5");
    const text = await sample();
    expect(text.out.startsWith("The whale")).toBe(true);
    expect((await sample()).out).toBe(text.out);
  });
});

test("every feature of the MoE layer is a key of --set", async () => {
  const keys = {
    capacity: 1,
    drop: "lowest",
    sharedExperts: 1,
    activation: "gelu",
    jitter: 0.1,
    zLoss: 0.001,
    balanceLoss: 0.02,
    renormalize: false,
    denseLayers: [0],
  };
  const features = Object.entries(keys).map(
    ([key, value]) => `moe.${key}=${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
  const quick = ["--steps", "2", ...sets("sample.tokens=0", "validation.batches=1")];
  const result = await webmoe("train", ...small, ...quick, ...sets(...features), "--out", "features");
  expect(result.error).toBe("");
  expect(result.code).toBe(0);
  const { config } = JSON.parse(await readFile(join(folder, "features/config.json"), "utf8"));
  expect(config.moe).toMatchObject(keys);
  const [line] = (await readFile(join(folder, "features/metrics.jsonl"), "utf8")).split("\n");
  const { dropped, load } = JSON.parse(line!).router;
  // One MoE layer of two; 2 x 16 tokens to two of four experts each, of which each takes 16.
  expect(load).toHaveLength(1);
  load[0].forEach((count: number, expert: number) => {
    expect(dropped[0][expert]).toBe(Math.max(0, count - 16));
  });
});

describe("figures", () => {
  test("params counts what the paper's formulas say", async () => {
    const { out } = await webmoe("params", "--preset", "tiny", "--json");
    const size = JSON.parse(out);
    expect(Object.keys(size)).toEqual([
      "total",
      "active",
      "parts",
      "router",
      "routerFrozen",
      "routerFlopsPerToken",
      "flopsPerToken",
    ]);
    // 4 layers of projection [128,128] and gate [8,128], and one GRU of width 128
    expect(size.router).toBe(4 * (128 * 128 + 8 * 128) + 6 * 128 * 128 + 6 * 128);
  });

  test("a steady step is one submit and makes no object", async () => {
    const { out } = await webmoe("bench", ...small, "--steps", "3", "--json");
    expect(JSON.parse(out)).toMatchObject({
      preset: "nano",
      submits: 1,
      newBuffers: 0,
      newBindGroups: 0,
      newPipelines: 0,
    });
  });

  test("bench scans a setting, times kernels and writes a trace of each step", async () => {
    const flags = ["--steps", "1", "--scan", "experts=2,4", "--profile", "trace.json"];
    const { out, error } = await webmoe("bench", ...small, ...flags, "--json");
    const lines = out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.map(({ label }) => label)).toEqual(["experts=2", "experts=4"]);
    for (const { profile, dispatches, pipelines, planBytes, floor } of lines) {
      const counted = profile.reduce((sum: number, row: { dispatches: number }) => sum + row.dispatches, 0);
      expect(counted).toBe(dispatches);
      expect(pipelines).toBeGreaterThan(10);
      expect(planBytes).toBeGreaterThan(1e5);
      expect(floor.arithmeticMs).toBeGreaterThan(0);
    }
    expect(error).toContain("trace-experts=4.json");
    const trace = JSON.parse(await readFile(join(folder, "trace-experts=4.json"), "utf8"));
    expect(trace.traceEvents.filter(({ ph }: { ph: string }) => ph === "X")).toHaveLength(lines[1].dispatches);
  });

  test("bench prints a table of steps, the rates of kernels, and how fast text is written", async () => {
    const steps = await webmoe("bench", ...small, "--steps", "1");
    expect(steps.out).toMatch(/configuration +ms +tokens\/s +arithmetic/);
    const kernels = await webmoe("bench", "--kernels", "norm");
    expect(kernels.out).toContain("rmsNormBackward");
    expect(kernels.out).not.toContain("matmul");
    const sampling = await webmoe("bench", ...small, "--sampling", "20", "--json");
    expect(JSON.parse(sampling.out).submitsPerToken).toBe(1);
  });

  test("devices names the adapter and the kernels", async () => {
    const shown = JSON.parse((await webmoe("devices", "--json")).out);
    expect(Object.keys(shown)).toEqual(["adapter", "features", "limits", "kernels"]);
    expect((await webmoe("devices")).out).toContain("kernels");
  });
});

describe("mistakes are one line and leave nothing behind", () => {
  test.each([
    [["train", "--set", "model.dims=8"], 2, 'there is no key "model.dims": did you mean "model.dim"?'],
    [["train", "--set", "model.dim=wide"], 2, 'model.dim: expected number, received string (got "wide")'],
    [["train", "--set", "model"], 2, '--set: needs key=value, got "model"'],
    [["train", "--set", "moe.topK=5"], 2, "moe.topK: needs at most moe.experts (4), got 5"],
    [["train", "--set", "moe.capacity=0"], 2, "moe.capacity: needs more than 0, which would drop every token"],
    [["train", "--set", "moe.drop=first"], 2, "moe.drop: "],
    [
      ["train", "--set", "batch.size=1e9"],
      2,
      "batch.size: needs at most 262144 sequences of model.context 64, got 1000000000",
    ],
    [["train", "--set", "model.heads=3"], 2, "model.heads: needs a divisor of model.dim (64), got 3"],
    [["train", "--set", "router.dimm=3"], 2, 'the recurrent router has no such option: did you mean "dim"?'],
    [["train", "--preset", "nanno"], 2, 'did you mean "nano"?'],
    [["train", "--router", "lineer"], 2, 'did you mean "linear"?'],
    [["train", "--router", "./no-router.ts"], 2, 'no-router.ts"'],
    [["train", "--steps", "many"], 2, "needs a whole number, 0 or more.\n(see webmoe train --help)"],
    [["train", "--freeze", "rooter"], 2, "freeze: needs a part of the model (embedding, norm1, attention, "],
    [["train", "--fast"], 2, "unknown option '--fast'"],
    [["train", "--data", "no-such.txt"], 1, 'there is no "no-such.txt"'],
    [["train", "--adapter", "voodoo"], 1, 'no WebGPU adapter matches "voodoo"'],
    [["sample", "--from", "nowhere"], 2, '"nowhere" has no config.json'],
    [["train", "--resume", "nowhere"], 2, '"nowhere" has no config.json'],
  ])("webmoe %j", async (args, code, message) => {
    const result = await webmoe(...(args as string[]), "--out", "never");
    const plain = args[0] === "sample" ? await webmoe(...(args as string[])) : result;
    expect(plain.error).toContain(message);
    expect(plain.error).toMatch(/^webmoe: /);
    expect(plain.error).not.toMatch(/^\s+at /m);
    expect(plain.code).toBe(code);
    await expect(access(join(folder, "never"))).rejects.toThrow();
  });

  test.each([
    [["--scan", "exprts=2,4"], 'there is no key "exprts"'],
    [["--kernels", "nothing"], 'there is no case with "nothing" in its name'],
    [["--kernels", "--profile"], "--kernels: takes no --scan and no --profile"],
    [["--sampling", "3", "--turns"], "--sampling: takes no --profile, --turns or --paced, which are of steps"],
  ])("webmoe bench %j", async (args, message) => {
    const { code, error } = await webmoe("bench", ...args);
    expect(error).toContain(message);
    expect(error.trim().split("\n")).toHaveLength(1);
    expect(code).toBe(2);
  });

  test("data that is empty, binary or short", async () => {
    await writeFile(join(folder, "empty.txt"), "");
    await writeFile(join(folder, "junk.bin"), new Uint8Array(5000));
    await writeFile(join(folder, "short.txt"), "Call me Ishmael.");
    expect((await webmoe("train", "--data", "empty.txt")).error).toContain('"empty.txt" is empty');
    expect((await webmoe("train", "--data", "junk.bin")).error).toContain("looks binary");
    expect((await webmoe("train", "--data", "short.txt")).error).toMatch(/needs at least 650 bytes .* got 16/);
  });

  test("a folder that is not empty is left alone", async () => {
    const taken = await mkdtemp(join(folder, "taken-"));
    await writeFile(join(taken, "precious.txt"), "mine");
    const result = await webmoe("train", "--out", taken);
    expect(result.error).toContain("is not empty");
    expect(result.code).toBe(2);
    expect(await readFile(join(taken, "precious.txt"), "utf8")).toBe("mine");
  });

  test("--debug shows where an error comes from", async () => {
    expect((await webmoe("--debug", "train", "--data", "no-such.txt")).error).toMatch(/^\s+at /m);
  });
});
