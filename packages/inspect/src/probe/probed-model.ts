import type { Model, TrunkParameters } from "@webmoe/model";
import type { DeviceTensor, MapLeaves } from "@webmoe/tensor";

/** A model and where its numbers are on a device. */
export interface ProbedModel {
  /** The model that is looked at. */
  model: Model;
  /** Its parameters on the device. */
  parameters: TrunkParameters<DeviceTensor>;
  /** What its router keeps besides, on the device. */
  buffers?: MapLeaves<unknown, DeviceTensor>;
}

/** The arrays that a model's `inputs` ask for. */
export type ProbedBatch = Record<string, Uint32Array>;
