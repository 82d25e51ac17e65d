/** A number that the form asks for. */
export interface NumberField {
  /** Dotted key, as the command line's `--set` takes it. */
  key: string;
  label: string;
  /** What it means, in a few words. */
  about?: string;
  min: number;
  max: number;
  whole: boolean;
  /** May be left empty, for what this says. */
  empty?: string;
}

const whole = (key: string, label: string, min: number, max: number, about?: string): NumberField => ({
  ...{ key, label, min, max, about },
  whole: true,
});
const real = (key: string, label: string, min: number, max: number, about?: string): NumberField => ({
  ...{ key, label, min, max, about },
  whole: false,
});

/** The numbers of the form, by its parts. */
export const fields = {
  experts: [whole("moe.experts", "Experts", 1, 64, "in each layer"), whole("moe.topK", "Experts a token", 1, 8, "K")],
  model: [
    whole("model.layers", "Layers", 1, 24),
    whole("model.dim", "Width", 8, 2048),
    whole("model.heads", "Heads", 1, 32),
    whole("model.context", "Context", 8, 2048, "tokens a sequence"),
    whole("moe.hidden", "Expert width", 8, 8192),
    { ...whole("moe.sharedExperts", "Shared experts", 0, 8, "that every token goes to"), empty: "none" },
  ],
  training: [
    whole("train.steps", "Steps", 1, 100_000),
    real("optimizer.lr", "Learning rate", 1e-6, 1),
    whole("batch.size", "Batch", 1, 256, "sequences"),
    whole("seed", "Seed", 0, 2 ** 31 - 1),
  ],
  more: [
    whole("schedule.warmup", "Warm-up steps", 0, 100_000),
    real("optimizer.weightDecay", "Weight decay", 0, 1),
    real("optimizer.clip", "Clip gradients", 0, 1000, "largest norm; 0: never"),
    real("moe.balanceLoss", "Balance loss", 0, 10, "its weight"),
    real("moe.zLoss", "Router z-loss", 0, 10, "its weight"),
    { ...real("moe.capacity", "Capacity", 0.01, 64, "of an expert, in even shares"), empty: "no limit" },
    { ...real("moe.jitter", "Jitter", 0, 0.99, "noise on the router's input"), empty: "none" },
    whole("batch.accumulate", "Batches a step", 1, 256, "in turn"),
    whole("validation.every", "Validate every", 0, 100_000, "steps; 0: at the end"),
    whole("sample.every", "Sample every", 0, 100_000, "steps; 0: at the end"),
    whole("checkpoint.every", "Keep every", 0, 100_000, "steps; 0: at the end"),
  ],
} satisfies Record<string, NumberField[]>;

/** Every number of the form. */
export const allFields: NumberField[] = Object.values(fields).flat();
