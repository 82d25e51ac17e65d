// What the standard guarantees of every device, and all that some phones have: 16 KiB of workgroup memory, 256 invocations,
// 8 storage buffers, bindings of 128 MiB.

import { splitTokens } from "@webmoe/data";
import { type LanguageModel, languageModel, type ModelConfig, type PresetName, presets } from "@webmoe/model";
import { routerNamed, routerNames } from "@webmoe/routers";
import { key, materialize } from "@webmoe/tensor";
import {
  openDecoder,
  openWithinMemory,
  planTraining,
  presetSettings,
  type TrainSettings,
  train,
  trainSettings,
} from "@webmoe/trainer";
import {
  type CompiledKernel,
  type Gpu,
  type KernelTarget,
  OutOfMemoryError,
  openDevice,
  planningGpu,
  startPipelines,
} from "@webmoe/webgpu";
import { openGpu } from "@webmoe/webgpu/node";
import { afterAll, describe, expect, test } from "vitest";
import { create, globals } from "webgpu";

Object.assign(globalThis, globals);
// Compiles shaders for graphics hardware and runs none. Held to the end: a process may end with the first instance that is collected.
const instance = create(["backend=null", "enable-dawn-features=allow_unsafe_apis"]);
const onNull = (options: Parameters<typeof openDevice>[1]) =>
  openDevice(instance, { ...options, limits: "least" }, { flopsPerSubmit: Number.POSITIVE_INFINITY });

const devices: [name: string, gpu: Gpu][] = [
  ["tiled", await onNull({ kernelClass: "tiled", features: [] })],
  ["tiled with subgroups and f16", await onNull({ kernelClass: "tiled" })],
  ["the adapter", await openGpu({ adapter: process.env.WEBMOE_TEST_ADAPTER, limits: "least" })],
];
afterAll(() => {
  for (const [, gpu] of devices) gpu.close();
});

/** The kernels of training, of as many and as long sequences as bindings of 128 MiB hold. */
async function kernelsOfTraining(gpu: Gpu, model: LanguageModel, settings: TrainSettings): Promise<CompiledKernel[]> {
  const { batch } = settings;
  const plan = await planTraining(gpu, model, settings).catch((error) => {
    if (!(error instanceof OutOfMemoryError)) throw error;
  });
  if (plan) return plan.kernels.flat();
  const shorter = batch.size > 1 ? model : model.resized({ context: model.config.context / 2 });
  return kernelsOfTraining(gpu, shorter, { ...settings, batch: { ...batch, size: Math.ceil(batch.size / 2) } });
}

/** The kernels of training, validation and writing text. */
async function kernelsOf(gpu: Gpu, preset: PresetName, name: string, changes: Partial<ModelConfig> = {}) {
  const { model: sizes, routerDim } = presets[preset];
  const { make, width, layers } = routerNamed(name)!;
  const options = width ? { [width.option]: routerDim } : {};
  const model = languageModel({ ...sizes, moe: layers?.(sizes.moe, options) ?? sizes.moe, ...changes }, make(options));
  const training = await kernelsOfTraining(gpu, model, presetSettings(preset));
  const planning = planningGpu(gpu);
  await openDecoder(planning, model, await materialize(planning, model.init(key(1))), () => ({}));
  return [...training, ...[...planning.planning!.values()].flat()];
}

describe.each(devices)("%s", (_, gpu) => {
  test("the device has no more than the least", () => {
    expect(gpu.limits.maxComputeWorkgroupStorageSize).toBe(16384);
    expect(gpu.limits.maxStorageBufferBindingSize).toBe(2 ** 27);
    expect(gpu.target).toMatchObject<Partial<KernelTarget>>({ workgroupMemory: 16384, matrixUnits: false });
  });

  test.each(Object.keys(presets) as PresetName[])(
    "%s: every kernel compiles, whatever the router",
    async (preset) => {
      for (const router of routerNames) {
        const kernels = await kernelsOf(gpu, preset, router);
        startPipelines(gpu, kernels);
        for (const { grid } of kernels) expect(Math.max(...grid)).toBeLessThanOrEqual(65535);
      }
      await Promise.all(gpu.pipelines.values());
    },
    300_000,
  );

  test.each([40, 80, 128, 256])(
    "attention with heads of %i compiles, also with dropout on its weights",
    async (width) => {
      const sizes = { layers: 1, dim: 2 * width, heads: 2 };
      startPipelines(gpu, await kernelsOf(gpu, "tiny", "linear", sizes));
      startPipelines(gpu, await kernelsOf(gpu, "tiny", "linear", { ...sizes, attentionDropout: 0.1 }));
      await Promise.all(gpu.pipelines.values());
    },
  );
});

test("training gives the numbers that it gives with all that the adapter has", async () => {
  const { model, routerDim } = presets.nano;
  const router = routerNamed("recurrent")!.make({ dim: routerDim });
  const settings = trainSettings({ train: { steps: 4 }, batch: { size: 4 } });
  const tokens = Uint8Array.from({ length: 4000 }, (_, i) => (i * i) % 251);
  const losses = async (limits?: "least") => {
    const open = () => openGpu({ adapter: process.env.WEBMOE_TEST_ADAPTER, limits });
    const seen: number[] = [];
    for await (const report of train({
      open,
      model: languageModel(model, router),
      settings,
      data: splitTokens(tokens),
    })) {
      if ("loss" in report) seen.push(report.loss);
    }
    return seen;
  };
  const least = await losses("least");
  expect(least.length).toBeGreaterThan(3);
  const all = await losses();
  expect(all).toHaveLength(least.length);
  for (const [step, loss] of least.entries()) expect(loss).toBeCloseTo(all[step]!, 4);
});

test("a vocabulary that no binding holds is refused by the tensor's name, with sizes that fit", async () => {
  const [, gpu] = devices[2]!;
  const large = languageModel({ ...presets.nano.model, vocab: 50_000, dim: 1024 }, routerNamed("linear")!.make({}));
  const { message } = (await openWithinMemory(gpu, large, presetSettings("nano")).catch((error) => error)) as Error;
  expect(message).toContain(
    "a tensor may take at most 128 MiB on this adapter, got embedding [50000, 1024] of 195 MiB",
  );
  expect(message).toContain("model.dim=512");
});
