import { languageModel, type Model } from "@webmoe/model";
import { recurrentRouter } from "@webmoe/router-recurrent";
import { type Gpu, OutOfMemoryError, openDevice, planningGpu } from "@webmoe/webgpu";
import { openGpu } from "@webmoe/webgpu/node";
import { matrixTarget } from "@webmoe/webgpu/testing";
import { describe, expect, test } from "vitest";
import { create, globals } from "webgpu";
import { type TrainSettings, trainSettings } from "../settings";
import { openWithinMemory } from "./open-within-memory";
import { planTraining } from "./plan-training";
import { settingsThatFit } from "./settings-that-fit";

const moe = { experts: 8, topK: 2, hidden: 32, balanceLoss: 0.01, zLoss: 0 };
const sizes = { vocab: 256, dim: 32, layers: 4, heads: 2, context: 64, moe };
const model = languageModel(sizes, recurrentRouter({ dim: 8 }));
const settings = trainSettings({ batch: { size: 8 } });
const adapter = process.env.WEBMOE_TEST_ADAPTER;

Object.assign(globalThis, globals);
// Held to the end: a process may end with the first instance that is collected.
const instance = create(["backend=null"]);

/** The adapter that tests run on, and what a device with matrix units would take, which few adapters have. */
const devices: [name: string, open: (memoryBudget?: number) => Promise<Gpu>][] = [
  ["on the adapter", (memoryBudget) => openGpu({ adapter, memoryBudget })],
  [
    "planned for matrix units",
    async (memoryBudget = Number.POSITIVE_INFINITY) => {
      const gpu = await openGpu({ adapter });
      gpu.close();
      const planning = planningGpu({ ...gpu, target: { ...matrixTarget, precision: "f32" } });
      return Object.assign(planning, { memoryBudget });
    },
  ],
];

/** Bytes of the run with each step in four pieces: the largest that fit, whatever scratch the kernels of a device need. */
async function inPieces(open: (typeof devices)[number][1]): Promise<number> {
  const gpu = await open();
  const { memory } = await planTraining(gpu, model, { ...settings, batch: { size: 2, accumulate: 4 } });
  gpu.close();
  return memory.total;
}

const refusal = async (gpu: Gpu, of: Model = model): Promise<OutOfMemoryError> => {
  const error = await openWithinMemory(gpu, of, settings).catch((error: unknown) => error);
  if (!(error instanceof OutOfMemoryError)) throw error;
  return error;
};

describe.each(devices)("%s", (_, open) => {
  test("a run that exceeds the budget is refused before anything is allocated, with its memory and settings that fit", async () => {
    const memoryBudget = await inPieces(open);
    const gpu = await open(memoryBudget);
    const { message } = await refusal(gpu);
    expect(gpu.memoryUsed).toBe(0);
    const lines = message.split("\n");
    expect(lines[0]).toMatch(/^train: needs [\d.]+ MiB on the device, where the limit is [\d.]+ MiB$/);
    for (const kind of ["parameters", "optimizer", "gradients", "activations", "logits", "validation"]) {
      expect(message).toMatch(new RegExp(`^  ${kind} +[\\d.]+ [KM]iB$`, "m"));
    }
    const offers = lines.slice(lines.findIndex((line) => /^settings that fit into [\d.]+ MiB:$/.test(line)) + 1);
    expect(offers).toHaveLength(3);
    expect(offers[0]).toMatch(/^ {2}batch\.size=2 batch\.accumulate=4 /);
    gpu.close();
  });

  test("the settings that are offered do fit, and each is the smallest of its kind", async () => {
    const memoryBudget = await inPieces(open);
    const gpu = await open(memoryBudget);
    const offers = await settingsThatFit(gpu, model, settings, memoryBudget, 9);
    expect(offers.map(({ about }) => about)).toEqual([
      "the same steps in smaller pieces",
      "the same numbers for a third more work",
      ...(gpu.target.matrixUnits ? ["products rounded to f16"] : []),
      "shorter sequences",
      "fewer layers",
      "narrower experts",
      "fewer experts",
      "a narrower model",
      "smaller in every direction",
    ]);
    for (const { changes, bytes } of offers) {
      const now = {
        ...settings,
        batch: {
          size: Number(changes["batch.size"] ?? settings.batch.size),
          accumulate: Number(changes["batch.accumulate"] ?? settings.batch.accumulate),
        },
        memory: { recompute: changes["memory.recompute"] === true },
        precision: (changes.precision ?? settings.precision) as TrainSettings["precision"],
      };
      const resized = model.resized({
        context: Number(changes["model.context"] ?? sizes.context),
        layers: Number(changes["model.layers"] ?? sizes.layers),
        dim: Number(changes["model.dim"] ?? sizes.dim),
        moe: {
          ...moe,
          hidden: Number(changes["moe.hidden"] ?? moe.hidden),
          experts: Number(changes["moe.experts"] ?? moe.experts),
        },
      });
      const session = await openWithinMemory(gpu, resized, now);
      expect(gpu.memoryUsed).toBe(bytes);
      expect(now.batch.size * now.batch.accumulate).toBe(8);
      session.close();
      expect(gpu.memoryUsed).toBe(0);
    }
    // With twice the sequences of the first offer a micro-batch would be too large.
    const { "batch.size": size } = offers[0]!.changes;
    const twice = { size: 2 * Number(size), accumulate: 4 / Number(size) };
    const { memory } = await planTraining(gpu, model, { ...settings, batch: twice });
    expect(memory.total).toBeGreaterThan(memoryBudget);
    gpu.close();
  });
});

test("a batch past all reason is refused like others, in pieces of the sizes that divide it", async () => {
  const gpu = await openGpu({ adapter });
  const planning = Object.assign(planningGpu(gpu), { memoryBudget: 2 ** 24 });
  const vast = trainSettings({ batch: { size: 1e9 } });
  const offers = await settingsThatFit(planning, model, vast, 2 ** 24, 1);
  gpu.close();
  const { "batch.size": size, "batch.accumulate": accumulate } = offers[0]!.changes as Record<string, number>;
  expect([1, 2, 4, 5, 8, 10, 16]).toContain(size);
  expect(size! * accumulate!).toBe(1e9);
});

test("a device that has less than it said is explained in the same way", async () => {
  // Dawn's device that computes nothing has half a GiB of memory, and reports what does not fit as every device does.
  const gpu = await openDevice(
    instance,
    { features: [], kernelClass: "serial" },
    { flopsPerSubmit: Number.POSITIVE_INFINITY },
  );
  const large = model.resized({ vocab: 4096, context: 1024, moe: { ...moe, hidden: 512 } });
  const { message } = await refusal(gpu, large);
  expect(message).toMatch(/^train: needs [\d.]+ MiB on the device, which ran out of memory after [\d.]+ MiB$/m);
  expect(message).toMatch(/^ {2}logits +[\d.]+ MiB$/m);
  expect(message).toMatch(/^ {2}batch\.size=\d batch\.accumulate=\d/m);
  gpu.close();
});

describe("where a run does not fit", () => {
  const least = { experts: 2, topK: 2, hidden: 16, balanceLoss: 0.01, zLoss: 0 };
  const tiny = model.resized({ layers: 1, context: 32, moe: least });
  const frugal = trainSettings({ batch: { size: 1 }, memory: { recompute: true } });
  const said = async (share: number) => {
    const gpu = await openGpu({ adapter });
    const { memory } = await planTraining(gpu, tiny, frugal);
    // What is refused allocates nothing, so a device to plan on is enough.
    const limited = Object.assign(planningGpu(gpu), { memoryBudget: Math.floor(share * memory.total) });
    const error = await openWithinMemory(limited, tiny, frugal).catch((error: Error) => error);
    gpu.close();
    return (error as Error).message.split("\n").slice(-3);
  };

  test("fewer than three settings are called all that there are", async () => {
    expect(await said(0.9)).toEqual([
      expect.stringMatching(/^all settings found that fit into [\d.]+ [KM]iB, with smaller batches, .* tried:$/),
      expect.stringMatching(/^ {2}model\.dim=\d+ +[\d.]+ [KM]iB {2}a narrower model$/),
      expect.stringMatching(/^ {2}model\.dim=\d+ +[\d.]+ [KM]iB {2}smaller in every direction$/),
    ]);
  });

  test("and none are called none", async () => {
    expect((await said(0.01)).at(-1)).toMatch(/^nothing fits into [\d.]+ [KM]iB, down to the smallest batch and model/);
  });
});

test("settings for a deep model are found by shallow ones, and planned before they are offered", async () => {
  const gpu = await openGpu({ adapter });
  const depths: number[] = [];
  const watched = (model: Model): Model => ({
    ...model,
    init(key) {
      depths.push(model.config.layers);
      return model.init(key);
    },
    resized: (sizes) => watched(model.resized(sizes)),
  });
  const deep = model.resized({ layers: 32 });
  const limit = (await planTraining(gpu, deep, settings)).memory.total / 3;
  const offers = await settingsThatFit(gpu, watched(deep), settings, limit, 3);
  expect(offers).toHaveLength(3);
  expect(depths.filter((layers) => layers >= 24).length).toBeLessThanOrEqual(3);
  for (const { changes, bytes } of offers) {
    const of = (group: string) =>
      Object.fromEntries(
        Object.entries(changes).flatMap(([key, value]) =>
          key.startsWith(group) ? [[key.slice(group.length), value]] : [],
        ),
      );
    const changed = {
      ...settings,
      batch: { ...settings.batch, ...of("batch.") },
      memory: { ...settings.memory, ...of("memory.") },
    };
    const { memory } = await planTraining(
      gpu,
      deep.resized({ ...of("model."), moe: { ...moe, ...of("moe.") } }),
      changed,
    );
    expect(bytes).toBe(memory.total);
    expect(bytes).toBeLessThanOrEqual(limit);
  }
  gpu.close();
});
