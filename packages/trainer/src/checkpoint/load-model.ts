import type { Model, TrunkParameters } from "@webmoe/model";
import { type DeviceTensor, key, type MapLeaves, materialize } from "@webmoe/tensor";
import type { Gpu } from "@webmoe/webgpu";
import { restoreParameters, restorePlain } from "./checkpoint";
import type { TensorReader } from "./run-store";

/** What a model computes with, on a device. `release` frees it. */
export interface LoadedModel {
  /** What was learned. */
  parameters: TrunkParameters<DeviceTensor>;
  /** What its router keeps and does not learn. */
  buffers: MapLeaves<unknown, DeviceTensor>;
}

/** Put a trained model on a device: its parameters and its router's buffers. One that is missing in `tensors` is an error. */
export async function loadModel(gpu: Gpu, model: Model, tensors: TensorReader): Promise<LoadedModel> {
  const initial = model.init(key(0));
  const parameters = (await materialize(gpu, initial.parameters)) as LoadedModel["parameters"];
  const buffers = (await materialize(gpu, initial.buffers, "router buffers")) as LoadedModel["buffers"];
  await restoreParameters(model, parameters, tensors);
  await restorePlain(buffers, tensors, "model.router.buffers.");
  return { parameters, buffers };
}
