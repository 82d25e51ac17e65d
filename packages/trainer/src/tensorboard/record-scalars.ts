/** What TensorBoard calls figures of metrics.jsonl that have a usual tag; the others go by their own name. */
const TAGS: Record<string, string> = {
  lr: "learning_rate",
  gradNorm: "grad_norm",
  tokensPerSecond: "tokens_per_second",
  lossScale: "loss_scale",
  bitsPerByte: "bits_per_byte",
  macroF1: "macro_f1",
  balanceLoss: "balance_loss",
  maxLoad: "max_load",
};

/**
 * The curves that a record of metrics.jsonl is a point of, by tag: `train/loss`, `validation/bits_per_byte`,
 * `router/balance_loss`, and for each MoE layer `router/entropy/layer_0`. Times, and lists of lists, are no curves.
 */
export function recordScalars(record: Record<string, unknown>): Record<string, number> {
  const { step: _, split = "train", router, elapsedSeconds: __, ...figures } = record;
  return { ...named(String(split), figures), ...named("router", (router ?? {}) as Record<string, unknown>) };
}

function named(group: string, figures: Record<string, unknown>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(figures).flatMap(([name, value]) => {
      const tag = `${group}/${TAGS[name] ?? name}`;
      if (typeof value === "number") return [[tag, value]];
      if (!Array.isArray(value)) return [];
      return value.flatMap((one, layer) => (typeof one === "number" ? [[`${tag}/layer_${layer}`, one]] : []));
    }),
  );
}
