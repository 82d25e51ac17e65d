import type { TrunkParameters } from "@webmoe/model";
import type { OptimizerState } from "@webmoe/nn";
import type { DeviceTensor, MapLeaves } from "@webmoe/tensor";

type Parameters = TrunkParameters<DeviceTensor>;

/** What is in a checkpoint. */
export interface SessionState {
  /** What is learned, frozen parts among it. */
  parameters: Parameters;
  /** Moments of what is learned, and counters. */
  optimizer: OptimizerState<Parameters, DeviceTensor, DeviceTensor<"u32">>;
  /** What the router keeps and does not learn. */
  buffers?: MapLeaves<unknown, DeviceTensor>;
  /** With `ema.decay`: the running average of the parameters. */
  averaged?: Parameters;
}
