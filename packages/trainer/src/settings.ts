/** Everything about a run but its model and data. */
export interface TrainSettings {
  /** Decides initial values, batches and noise. */
  seed: number;
  /**
   * "mixed": matrix products and attention round their operands to f16 where the device has matrix units, under a loss
   * scale; everything else, weights and sums included, is f32.
   */
  precision: "f32" | "mixed";
  /** Parts of the model that stay as they are, as `splitFrozen` names them. Default none. */
  freeze?: string[];
  /** How long to train. */
  train: {
    /** Optimizer steps of the whole run. */
    steps: number;
    /** Whether a step whose loss is not finite or exploded is skipped (default; after ten in a row the run stops) or stops the run. */
    onNan?: "skip" | "stop";
  };
  /** What a step is computed from. */
  batch: {
    /** Sequences a micro-batch. */
    size: number;
    /** Micro-batches whose gradients are averaged into one step. */
    accumulate: number;
    /** Whether sequences are padded: tokens without a target then go to no expert and into no count. */
    padded?: boolean;
  };
  /** What turns gradients into updates. */
  optimizer: {
    /** Muon updates the matrices of the blocks, AdamW the rest: embedding, head, norms and the router. */
    name: "adamw" | "muon" | "sgd";
    /** The learning rate at its peak. */
    lr: number;
    /** Of "muon": the learning rate of its matrices at its peak. */
    matrixLr: number;
    /** Of the velocity in "muon" and "sgd". */
    momentum: number;
    /** What AdamW's mean of gradients keeps in a step, from 0 to below 1. */
    beta1: number;
    /** What AdamW's mean of squared gradients keeps in a step, from 0 to below 1. */
    beta2: number;
    /** Added to the square root that AdamW divides by. */
    eps: number;
    /** Decoupled weight decay, times the learning rate. */
    weightDecay: number;
    /** What decays: matrices alone, or every parameter. */
    decay: "matrices" | "all";
    /** Largest global norm of the gradients; 0 for no clipping. */
    clip: number;
  };
  /** How the learning rate goes over the run. */
  schedule: {
    /** After the warm-up: constant, half a cosine, a straight line, or "wsd" (warm-up, stable, decay), a line at the end. */
    name: "constant" | "cosine" | "linear" | "wsd";
    /** Steps in which the rate rises linearly to `optimizer.lr`. */
    warmup: number;
    /** Of "wsd": the share of all steps in which it falls. */
    decay: number;
    /** Where it ends, as a share of `optimizer.lr`. */
    minLr: number;
  };
  /** The running average of the weights. */
  ema: {
    /** How much a running average of the weights keeps in a step; 0 for no average. */
    decay: number;
  };
  /** What is given up for memory. */
  memory: {
    /** Keep the inputs of blocks alone for the backward pass, and compute what is inside them again. */
    recompute: boolean;
  };
  /** How often the model is judged, and on how much. */
  validation: {
    /** Steps between validations; 0 for one at the end alone. */
    every: number;
    /** Batches of the held-out part that one validation takes. */
    batches: number;
  };
  /** When the run is kept. */
  checkpoint: {
    /** Steps between checkpoints; 0 for one at the end alone. */
    every: number;
    /** Minutes after which there is one in any case; default 0, never. */
    minutes?: number;
    /** Checkpoints that stay, besides the one with the best validation. */
    keep: number;
  };
}

/** Any part of the settings, each group as far as it differs. */
export type SettingsChanges = {
  [Group in keyof TrainSettings]?: TrainSettings[Group] extends object
    ? Partial<TrainSettings[Group]>
    : TrainSettings[Group];
};

/** Settings that suit a small model on a software adapter, with `changes` applied. */
export function trainSettings(changes: SettingsChanges = {}): TrainSettings {
  return {
    seed: changes.seed ?? 1,
    precision: changes.precision ?? "f32",
    train: { steps: 300, ...changes.train },
    ...(changes.freeze && { freeze: changes.freeze }),
    batch: { size: 8, accumulate: 1, ...changes.batch },
    optimizer: {
      name: "adamw",
      lr: 3e-3,
      matrixLr: 0.02,
      momentum: 0.95,
      beta1: 0.9,
      beta2: 0.95,
      eps: 1e-8,
      weightDecay: 0.1,
      decay: "matrices",
      clip: 1,
      ...changes.optimizer,
    },
    schedule: { name: "cosine", warmup: 20, decay: 0.2, minLr: 0.1, ...changes.schedule },
    ema: { decay: 0, ...changes.ema },
    memory: { recompute: false, ...changes.memory },
    validation: { every: 0, batches: 8, ...changes.validation },
    checkpoint: { every: 0, minutes: 10, keep: 3, ...changes.checkpoint },
  };
}
