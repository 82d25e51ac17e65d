import { type PresetName, presets } from "@webmoe/model";
import { linearRouter } from "@webmoe/router-linear";
import { recurrentRouter } from "@webmoe/router-recurrent";
import { checkShaders, matrixTarget } from "@webmoe/webgpu/testing";
import { describe, expect, test } from "vitest";
import { planStep } from "./plan-step";

/** Where steps are to get: dispatches by layers, pipelines, and GiB of state and program, which are PyTorch's on an H100. */
const GOAL = {
  dispatches: (layers: number) => 48 * layers + 25,
  pipelines: 60,
  GiB: { tiny: 0.42, small: 4.92, base: 16.78 },
};

/** What steps take in mixed precision on matrix units where that is more than the goal. Lower a figure when it falls. */
const reached: Record<string, { dispatches?: number; pipelines: number }> = {
  "base, recurrent": { pipelines: 69 },
};

const routers = {
  recurrent: (preset: PresetName) => recurrentRouter({ dim: presets[preset].routerDim }),
  linear: () => linearRouter(),
};

describe.each(["recurrent", "linear"] as const)("a step with the %s router", (router) => {
  test.each(["tiny", "small", "base"] as const)("of %s takes no more than it did, and compiles", async (preset) => {
    const step = planStep(preset, routers[router](preset), matrixTarget);
    const figures = { dispatches: step.kernels.length, pipelines: step.pipelines, GiB: step.bytes / 2 ** 30 };
    const { dispatches, pipelines, GiB } = GOAL;
    const most = { dispatches: dispatches(presets[preset].model.layers), pipelines, GiB: GiB[preset] };
    for (const [name, limit] of Object.entries({ ...most, ...reached[`${preset}, ${router}`] })) {
      expect(figures[name as keyof typeof figures], name).toBeLessThanOrEqual(limit);
    }
    await checkShaders(step.kernels);
  });
});
