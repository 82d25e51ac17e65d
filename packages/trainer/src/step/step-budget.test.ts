import { languageModel, type PresetName, presets } from "@webmoe/model";
import type { AnyRouter } from "@webmoe/router";
import { linearRouter } from "@webmoe/router-linear";
import { recurrentRouter } from "@webmoe/router-recurrent";
import { type Gpu, planningGpu } from "@webmoe/webgpu";
import { checkShaders, matrixTarget, testGpu } from "@webmoe/webgpu/testing";
import { describe, expect, test } from "vitest";
import { presetSettings } from "../preset-settings";
import { openSession } from "../session";

/** Where steps are to get: dispatches by layers, pipelines, and GiB of state and program, which are PyTorch's on an H100. */
const GOAL = {
  dispatches: (layers: number) => 48 * layers + 25,
  pipelines: 60,
  GiB: { tiny: 0.42, small: 4.92, base: 16.78 },
};

/** What steps take in mixed precision on matrix units where that is more than the goal. Lower a figure when it falls. */
const reached: Record<string, { dispatches?: number; pipelines: number }> = {
  "base, recurrent": { pipelines: 63 },
};

const routers = {
  recurrent: (preset: PresetName) => recurrentRouter({ dim: presets[preset].routerDim }),
  linear: () => linearRouter(),
};

/** A training step of a preset as it is planned for matrix units: forward, backward, clipping and AdamW. */
async function plannedStep(preset: PresetName, router: AnyRouter) {
  const limits = { maxStorageBufferBindingSize: 2 ** 31 - 4, maxBufferSize: 2 ** 40 } as Gpu["limits"];
  const gpu = planningGpu({ ...(await testGpu()), limits, target: matrixTarget });
  const model = languageModel(presets[preset].model, router);
  const { stats, memory } = await openSession(gpu, model, { ...presetSettings(preset), precision: "mixed" });
  const beside = memory.kinds.filter(({ kind }) => kind === "validation" || kind === "inputs and outputs");
  const bytes = beside.reduce((rest, { bytes }) => rest - bytes, memory.total);
  return { ...stats, bytes, kernels: gpu.planning!.get("step")! };
}

describe.each(["recurrent", "linear"] as const)("a step with the %s router", (router) => {
  test.each(["tiny", "small", "base"] as const)("of %s takes no more than it did, and compiles", async (preset) => {
    const step = await plannedStep(preset, routers[router](preset));
    const figures = { dispatches: step.dispatches, pipelines: step.pipelines, GiB: step.bytes / 2 ** 30 };
    const { dispatches, pipelines, GiB } = GOAL;
    const most = { dispatches: dispatches(presets[preset].model.layers), pipelines, GiB: GiB[preset] };
    for (const [name, limit] of Object.entries({ ...most, ...reached[`${preset}, ${router}`] })) {
      expect(figures[name as keyof typeof figures], name).toBeLessThanOrEqual(limit);
    }
    await checkShaders(step.kernels);
  });
});
