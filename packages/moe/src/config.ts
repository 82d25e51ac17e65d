import type { DropPolicy } from "@webmoe/tensor";

/** What a MoE layer needs to know. */
export interface MoeConfig {
  /** Experts of a layer, E, without shared ones. */
  experts: number;
  /** Experts per token. */
  topK: number;
  /** Inner width of an expert. */
  hidden: number;
  /** Let the weights of a token sum to one; default only for topK above 1. */
  renormalize?: boolean;
  /**
   * What an expert is: down(a(gate x) * up x) with three matrices for "swiglu" (default), "geglu" and "reglu", down(a(up x))
   * with two for "gelu" and "relu". GELU is its tanh approximation.
   */
  activation?: "swiglu" | "geglu" | "reglu" | "gelu" | "relu";
  /** Experts of the same width that every token goes to besides, with weight 1. Default 0. */
  sharedExperts?: number;
  /**
   * While training, an expert takes at most ceil(capacity * T * K / E) assignments of the T tokens of a batch; what is dropped
   * gives zero. Default: no limit. Evaluation and sampling never drop, so that their losses are of one model.
   */
  capacity?: number;
  /** Which assignments of a full expert are dropped. Default "last": the tokens that come last in the batch. */
  drop?: DropPolicy;
  /** While training, the router sees x times uniform noise from [1 - jitter, 1 + jitter) (Fedus et al. 2021, section 2.2). Default 0. */
  jitter?: number;
  /** While training: the share of experts' hidden units that is zeroed. Default 0. */
  dropout?: number;
  /** For benchmarks: experts in turn, whatever the scores. */
  even?: boolean;
}

/** Assignments an expert takes of a batch of `tokens`; undefined where it takes all. */
export function expertCapacityOf({ capacity, experts, topK }: MoeConfig, tokens: number): number | undefined {
  return capacity === undefined ? undefined : Math.ceil((capacity * tokens * topK) / experts);
}

/** Throw a one-line error for values that make no MoE layer. */
export function checkMoeConfig(config: MoeConfig): void {
  const { experts, topK, hidden, capacity, sharedExperts = 0, jitter = 0 } = config;
  for (const [name, value] of Object.entries({ experts, topK, hidden })) {
    if (!Number.isInteger(value) || value < 1) {
      throw new Error(`moe.${name}: needs a positive whole number, got ${value}`);
    }
  }
  if (topK > experts) throw new Error(`moe.topK: needs at most moe.experts (${experts}), got ${topK}`);
  if (capacity !== undefined && !(capacity > 0)) {
    throw new Error(
      `moe.capacity: needs more than 0, which would drop every token (1 is an even share), got ${capacity}`,
    );
  }
  if (!Number.isInteger(sharedExperts) || sharedExperts < 0) {
    throw new Error(`moe.sharedExperts: needs a whole number from 0, got ${sharedExperts}`);
  }
  if (!(jitter >= 0 && jitter < 1)) throw new Error(`moe.jitter: needs a number from 0 to below 1, got ${jitter}`);
}
