// For tests: the program of a training step as it is planned for a device, which nobody needs to have for that.

import { languageModel, type PresetName, presets } from "@webmoe/model";
import { optimize } from "@webmoe/nn";
import type { AnyRouter } from "@webmoe/router";
import {
  type AnyTensor,
  arenaRange,
  type Dtype,
  gradients,
  key,
  leaves,
  mapTree,
  reshape,
  type Spec,
  sizeOf,
  type Tensor,
  Trace,
} from "@webmoe/tensor";
import { type CompiledKernel, type KernelTarget, planMemory, Recording, type Shadow } from "@webmoe/webgpu";
import { explodedLoss } from "./bad-steps";
import { optimizerOptions } from "./optimizer-options";
import { presetSettings } from "./preset-settings";

/** What a step is, in numbers, and its kernels in order. */
export interface PlannedStep {
  kernels: CompiledKernel[];
  /** Different shader texts. */
  pipelines: number;
  /** Of the state, its f16 copies included, and of the program. */
  bytes: number;
}

/** A training step of a preset: forward, backward, clipping and AdamW. */
export function planStep(name: PresetName, router: AnyRouter, target: KernelTarget): PlannedStep {
  const { model: config, batch } = presets[name];
  const model = languageModel(config, router);
  const settings = presetSettings(name);
  const limits = { maxStorageBufferBindingSize: 2 ** 31 - 4, maxBufferSize: 2 ** 40 };
  const trace = new Trace(new Recording(target, limits));
  let stateBytes = 0;

  /** Handles on a tree that lies in an arena of its own. */
  const arena = (tree: unknown, label: string) => {
    const offsets = new Map<string, number>();
    let bytes = 0;
    for (const [path, { shape }] of leaves<Spec<Dtype>>(tree)) {
      offsets.set(path, bytes);
      bytes += arenaRange(sizeOf(shape) * 4);
    }
    stateBytes += bytes;
    const [buffer, shadow] = [{ size: bytes, label } as GPUBuffer, { bytes: bytes / 2, exists: false } as Shadow];
    return mapTree(tree, (leaf, path) => {
      const { shape, dtype } = leaf as Spec<Dtype>;
      return trace.external(shape, dtype, buffer, offsets.get(path)!, shadow);
    }) as never;
  };
  const scalar = <D extends Dtype>(dtype: D, label: string) =>
    trace.external([1], dtype, { size: 256, label } as GPUBuffer, 0);
  const tokens = (label: string) =>
    trace.external([batch, config.context], "u32", { size: batch * config.context * 4, label } as GPUBuffer, 0);

  const initial = model.init(key(0)).parameters;
  const parameters = arena(initial, "parameters");
  const lossScale = { scale: scalar("f32", "scale"), clean: scalar("u32", "clean"), skipped: scalar("u32", "skipped") };
  const optimizer = {
    first: arena(initial, "first moments"),
    second: arena(initial, "second moments"),
    applied: scalar("u32", "applied"),
    ...(target.precision === "mixed" && { lossScale }),
  };
  const given = { tokens: tokens("tokens"), targets: tokens("targets") };
  const { total, loss, layers, load } = model.loss(parameters, given, { training: true });
  const seed = optimizer.lossScale && reshape(lossScale.scale, total.shape);
  const grads = gradients(total, parameters as Record<string, Tensor>, { seed });
  const lr = reshape(scalar("f32", "lr"), []);
  const options = { ...optimizerOptions(settings), limit: { loss, most: explodedLoss(model) } };
  const { gradNorm } = optimize(parameters, grads as never, optimizer, lr, options);

  const figures = layers.flatMap(({ balanceLoss, entropy }) => [balanceLoss, entropy]);
  const outputs: AnyTensor[] = [loss, gradNorm, ...load, ...figures];
  const kept = new Set(outputs.map(({ slice }) => trace.recording.resolve(slice).storage));
  const plan = planMemory(trace.recording, kept);
  const kernels = plan.dispatches.map(({ kernel }) => kernel);
  const shadowBytes = plan.shadows.read.reduce((sum, { bytes }) => sum + bytes, 0);
  return {
    kernels,
    pipelines: new Set(kernels.map(({ wgsl }) => wgsl)).size,
    bytes: stateBytes + shadowBytes + plan.bytes.activations + plan.bytes.logits + plan.bytes.exclusive,
  };
}
