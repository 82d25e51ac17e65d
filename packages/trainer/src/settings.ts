/** Everything about a run but its model and data. */
export interface TrainSettings {
  seed: number;
  train: { steps: number };
  batch: {
    /** Sequences a micro-batch. */
    size: number;
    /** Micro-batches whose gradients are averaged into one step. */
    accumulate: number;
  };
  optimizer: {
    lr: number;
    beta1: number;
    beta2: number;
    eps: number;
    weightDecay: number;
    decay: "matrices" | "all";
    /** Largest global norm of the gradients; 0 for no clipping. */
    clip: number;
  };
  schedule: {
    name: "constant" | "cosine";
    /** Steps in which the rate rises linearly to `optimizer.lr`. */
    warmup: number;
    /** Where the cosine ends, as a share of `optimizer.lr`. */
    minLr: number;
  };
  validation: {
    /** Steps between validations; 0 for one at the end alone. */
    every: number;
    batches: number;
  };
  checkpoint: {
    /** Steps between checkpoints; 0 for one at the end alone. */
    every: number;
    /** Checkpoints that stay. */
    keep: number;
  };
}
