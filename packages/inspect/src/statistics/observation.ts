import type { Choices } from "./choices";

/** What one MoE layer did with a batch of T tokens. */
export interface LayerObservation extends Choices {
  /** [T, E] */
  probabilities: Float32Array;
  /** Assignments of each expert, [E]. */
  load: Float32Array;
  /** Of every tensor handed on to the next layer: the mean over tokens of its Euclidean norm. */
  stateNorms: Record<string, number>;
  /** The layer's choices had it seen zeros in place of what the layer before handed on; absent where nothing was. */
  zeroed?: Choices & { probabilities: Float32Array };
}

/** What a model did with a batch. */
export interface Observation {
  /** Token ids, [T]. */
  tokens: Uint32Array;
  /** Mean cross entropy in nats a token. */
  loss: number;
  layers: LayerObservation[];
}
