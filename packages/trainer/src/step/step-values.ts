/** The figures of one step. */
export interface StepValues {
  /** Mean cross entropy in nats a token. */
  loss: number;
  /** Global norm of the gradients before clipping. */
  gradNorm: number;
  /** Mean Switch balance loss of the MoE layers, 1 at perfect balance, unweighted. */
  balanceLoss: number;
  /** Of every MoE layer: its Switch balance loss, and the mean entropy of the router's probabilities in nats. */
  balance: number[];
  /** Of every MoE layer: the mean entropy of the router's probabilities in nats. */
  entropy: number[];
  /** Assignments of each expert in each MoE layer, and with `moe.capacity` how many of them were dropped. */
  load: number[][];
  /** Of every MoE layer, with `moe.capacity`: assignments of each expert that were dropped. */
  dropped?: number[][];
  /** In mixed precision: the loss scale of the next step, and how many steps were skipped so far. */
  lossScale?: number;
  /** Steps that were skipped so far. */
  skipped?: number;
}

/** Values of an output of a program. */
type Host = Float32Array | Uint32Array;

/** What the update of a step tells. */
interface Updated {
  gradNorm: Host;
  balance: Host[];
  lossScale?: Host;
  skipped?: Host;
}

/** The figures of a step from those of its micro-batches and of its update. */
export function stepValues(
  parts: { loss: Host; load: Host[]; dropped?: Host[]; entropy: Host[] }[],
  updated: Updated,
): StepValues {
  const meanOf = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  /** Counts of each expert of each layer, summed over micro-batches. */
  const counted = (name: "load" | "dropped") =>
    parts[0]![name]?.map((counts, layer) =>
      Array.from(counts, (_, expert) => parts.reduce((sum, part) => sum + part[name]![layer]![expert]!, 0)),
    );
  const dropped = counted("dropped");
  return {
    loss: meanOf(parts.map((part) => part.loss[0]!)),
    gradNorm: updated.gradNorm[0]!,
    balanceLoss: meanOf(updated.balance.map((loss) => loss[0]!)),
    balance: updated.balance.map((loss) => loss[0]!),
    entropy: parts[0]!.entropy.map((_, layer) => meanOf(parts.map((part) => part.entropy[layer]![0]!))),
    load: counted("load")!,
    ...(dropped && { dropped }),
    ...(updated.lossScale && { lossScale: updated.lossScale[0]!, skipped: updated.skipped![0]! }),
  };
}
