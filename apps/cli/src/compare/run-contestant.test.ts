import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BatchAt, batchAt, byteTokenizer } from "@webmoe/data";
import { routerNames } from "@webmoe/routers";
import { type DeviceTensor, leaves, readTensor } from "@webmoe/tensor";
import { languageTask, openSession } from "@webmoe/trainer";
import { testGpu } from "@webmoe/webgpu/testing";
import { afterEach, expect, test, vi } from "vitest";
import { resolveConfig } from "../config/resolve";
import type { Config } from "../config/schema";
import { makeModel } from "../run-model";
import { type ComparisonData, finishedRun, runContestant } from "./run-contestant";
import { sharedDevice } from "./shared-device";

afterEach(() => vi.restoreAllMocks());

const small = ["model.dim=16", "model.context=16", "moe.hidden=16", "batch.size=2", "validation.batches=2"];

function configFor(router: string, set: string[] = []): Config {
  const config = resolveConfig({ router, steps: 6, set: [...small, "validation.every=2", ...set] });
  return config;
}

const text = new TextEncoder().encode("She sells sea shells by the sea shore, and so on. ".repeat(30));
const unseen = new TextEncoder().encode("The shells she sells are sea shells, I am sure of that much. ".repeat(5));
const parts = { train: text.subarray(0, 1200), validation: text.subarray(1200), test: unseen };

function textsWith(onBatch: (at: BatchAt) => void = () => {}): ComparisonData {
  const draw = (at: BatchAt) => {
    onBatch(at);
    return batchAt(parts.train, at);
  };
  return {
    data: { train: parts.train, validation: parts.validation, batchAt: draw },
    test: languageTask({ train: parts.test, validation: parts.test }, { batch: 2, context: 16, batches: 2 }),
    padded: false,
    tokenizer: byteTokenizer(),
  };
}

const device = sharedDevice(testGpu);

const newFolder = async () => join(await mkdtemp(join(tmpdir(), "webmoe-compare-")), "run");

async function run(path: string, config: Config, stopAt = Number.POSITIVE_INFINITY, texts = textsWith()) {
  const stop = new AbortController();
  return runContestant({
    path,
    config,
    open: device.lend,
    texts,
    signal: stop.signal,
    onStep: ({ step }) => {
      if (step === stopAt) stop.abort();
    },
  });
}

test.each([3, 4])(
  "a run that was stopped at step %i goes on, and comes to what an unbroken one comes to",
  async (step) => {
    const config = configFor("recurrent", ["router.dim=8"]);
    const [whole, broken] = [await newFolder(), await newFolder()];
    const expected = (await run(whole, config))!;
    expect(expected.validations.map(({ step }) => step)).toEqual([2, 4, 6]);
    expect(expected.best.step).toBe(6);
    expect(expected.best.test.step).toBe(6);
    expect(expected.best.test.loss).not.toBe(expected.best.validation.loss);

    expect(await run(broken, config, step)).toBeUndefined();
    expect(await finishedRun(broken, config)).toBeUndefined();
    const result = (await run(broken, config))!;
    for (const part of ["validations", "best", "training", "memory"] as const)
      expect(result[part]).toEqual(expected[part]);
    expect(await finishedRun(broken, config)).toEqual(result);
    expect((await testGpu()).check()).toBeUndefined(); // the device stays open
    expect(expected.memory).toBeGreaterThan(10_000);
  },
);

test("the test loss is of the step with the best validation", async () => {
  // So high a rate that the loss rises after the first steps.
  const config = configFor("linear", ["optimizer.lr=1.5", "schedule.warmup=1", "schedule.name=constant"]);
  const path = await newFolder();
  const { best, validations } = (await run(path, config))!;
  const lowest = validations.reduce((low, one) => (one.loss < low.loss ? one : low));
  expect(best.validation).toEqual(lowest);
  expect(best.step).toBeLessThan(6);
  const lines = (await readFile(join(path, "metrics.jsonl"), "utf8")).trim().split("\n");
  const tests = lines.map((line) => JSON.parse(line)).filter(({ split }) => split === "test");
  expect(tests.at(-1)).toEqual({ split: "test", ...best.test });
});

test("a folder of another configuration is refused by the key", async () => {
  const path = await newFolder();
  const config = configFor("linear");
  await run(path, config, 1);
  const other = { ...config, train: { steps: 7 } };
  await expect(finishedRun(path, other)).rejects.toThrow("is of a comparison with another train.steps: choose another");
  await writeFile(join(path, "result.json"), "{}");
  expect(await finishedRun(path, { ...config, adapter: "software" })).toEqual({});
});

test("all routers of a seed see the same batches", async () => {
  const seen: BatchAt[][] = [];
  for (const router of ["linear", "recurrent", "hash"]) {
    const batches: BatchAt[] = [];
    await run(
      await newFolder(),
      { ...configFor(router), seed: 5 },
      undefined,
      textsWith((at) => batches.push(at)),
    );
    seen.push(batches);
  }
  expect(seen[0]!.map(({ seed, step }) => [seed, step])).toEqual([1, 2, 3, 4, 5, 6].map((step) => [5, step]));
  expect(seen[1]).toEqual(seen[0]);
  expect(seen[2]).toEqual(seen[0]);
});

test("everything but the router starts from the same values, for all routers of a seed", async () => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  const digest = async (router: string, seed: number) => {
    const config = { ...configFor(router), seed };
    const session = await openSession(await testGpu(), await makeModel(config), config);
    const values = new Map<string, string>();
    for (const [path, leaf] of leaves<DeviceTensor>(session.state.parameters)) {
      if (!path.startsWith("router.")) values.set(path, (await readTensor(leaf)).join());
    }
    session.close();
    return values;
  };
  const linear = await digest("linear", 3);
  expect(linear.size).toBeGreaterThan(10);
  // A dense layer has other experts.
  for (const router of routerNames.filter((name) => name !== "dense" && name !== "linear")) {
    expect(await digest(router, 3), router).toEqual(linear);
  }
  expect(await digest("linear", 4)).not.toEqual(linear);
});
