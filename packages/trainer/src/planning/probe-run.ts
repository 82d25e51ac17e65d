// A probe takes a few steps of a run. Where those would take long, as they do with hundreds of layers, or with any but a small model
// on a software adapter, two models of fewer layers are probed in its place. What a layer adds to the time of one over the other, it
// adds once for each layer that the run has more.

import type { Gpu } from "@webmoe/webgpu";
import type { TrainingPlan } from "./plan-training";
import { type Probe, type ProbeOptions, probeSpeed } from "./probe-speed";
import { atDepth, shallowModel, type TwoDepths } from "./shallow-model";

/** Seconds of a step from which on fewer layers are probed. */
const LONG = 2;

/** What a step takes at most, roughly: by this alone it is decided what is probed. Kernel calls include what the host does to plan them. */
const PACE = {
  hardware: { flopsPerSecond: 2e12, secondsPerDispatch: 1e-3 },
  software: { flopsPerSecond: 4e9, secondsPerDispatch: 1e-3 },
};

/** Models of fewer layers than this are probed as they are. */
const FEW_LAYERS = 6;

/** Probe a run of which `step` was planned, or in its place two runs of fewer layers, and say so in `layers`. */
export async function probeRun<Figures extends object>(
  gpu: Gpu,
  options: ProbeOptions<Figures>,
  step: Pick<TrainingPlan, "flops" | "dispatches" | "seconds">,
): Promise<Probe> {
  const { model } = options;
  const { layers } = model.config;
  const pace = gpu.adapter.software ? PACE.software : PACE.hardware;
  const seconds = step.flops / pace.flopsPerSecond + step.dispatches * pace.secondsPerDispatch;
  if (layers < FEW_LAYERS || seconds < LONG) return probeSpeed(gpu, options);
  const more = Math.min(16, Math.max(2, 2 * Math.floor(layers / 16)));
  const few = more / 2;
  const probe = (depth: number) => probeSpeed(gpu, { ...options, model: shallowModel(model, depth) });
  const [first, second] = [await probe(few), await probe(more)];
  // The first one compiled for both. A session plans and records, which takes as long again.
  const secondsToOpen = first.secondsToOpen + 2 * step.seconds;
  return { ...deeper(first, second, { few, more, layers }), secondsToOpen };
}

/** What the probes of two depths say of a deeper model. */
export function deeper(
  shallow: Probe,
  deep: Probe,
  { few, more, layers }: TwoDepths & { layers: number },
): Omit<Probe, "secondsToOpen"> {
  // By noise alone may the deeper one have been faster.
  const at = (name: keyof Omit<Probe, "layers">) =>
    atDepth({ few, more }, Math.min(shallow[name], deep[name]), deep[name], layers);
  return {
    secondsPerStep: at("secondsPerStep"),
    secondsPerValidation: at("secondsPerValidation"),
    secondsPerCheckpoint: at("secondsPerCheckpoint"),
    secondsPerSample: at("secondsPerSample"),
    steps: shallow.steps + deep.steps,
    layers: [few, more],
  };
}
