import type { AnyRouter } from "@webmoe/router";
import type { KeyedDropout, MapLeaves, Tensor } from "@webmoe/tensor";
import type { MoeConfig } from "./config";
import type { ExpertParameters, SharedExpertParameters } from "./experts";

/** What one MoE layer is given. */
export interface MoeInput {
  /** [T, D] */
  x: Tensor;
  /** The weights of the routed experts. */
  experts: ExpertParameters<Tensor>;
  /** Where the layer has `sharedExperts`. */
  sharedExperts?: SharedExpertParameters<Tensor>;
  /** How many experts there are, how they are chosen, and what each computes. */
  config: MoeConfig;
  /** What scores the experts, and may choose them. */
  router: AnyRouter;
  /** The router's own parameters: shared by all layers, of this layer, and what is not learned. */
  routerParameters: {
    /** Those that all MoE layers share. */
    shared: MapLeaves<unknown, Tensor>;
    /** Those of this layer. */
    layer: MapLeaves<unknown, Tensor>;
    /** What the router keeps and does not learn. */
    buffers?: MapLeaves<unknown, Tensor>;
  };
  /** Number of the MoE layer, from 0. */
  index: number;
  /** What the router handed on from the MoE layer before. */
  carry: unknown;
  /** Token ids, u32 [T]. */
  tokens: Tensor<"u32">;
  /** 1 for tokens, 0 for padding; f32 [T]. */
  mask: Tensor;
  /** Whether the step trains: jitter is of training alone. */
  training: boolean;
  /** Where the router's input is jittered: a key of random numbers, u32 [2]. */
  noise?: Tensor<"u32">;
  /** Dropout on the hidden units of experts, in training. */
  dropout?: {
    /** Of those that the router chose. */
    routed?: KeyedDropout;
    /** Of those that every token goes to. */
    shared?: KeyedDropout;
  };
  /** Assignments of each expert in the micro-batches of this step so far, f32 [E]; the balance loss looks at all of them. */
  loadBefore?: Tensor;
}
