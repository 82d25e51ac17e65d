import type { Model, TrunkParameters } from "@webmoe/model";
import type { DeviceTensor, MapLeaves } from "@webmoe/tensor";

/** A model and where its numbers are on a device. */
export interface ProbedModel {
  model: Model;
  parameters: TrunkParameters<DeviceTensor>;
  buffers?: MapLeaves<unknown, DeviceTensor>;
}

/** The arrays that a model's `inputs` ask for. */
export type ProbedBatch = Record<string, Uint32Array>;
