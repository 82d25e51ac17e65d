import type { BatchAt } from "@webmoe/data";
import type { Model } from "@webmoe/model";
import type { Evaluation } from "../session";
import type { TrainSettings } from "../settings";
import type { HostBatch } from "../step/step-programs";

/** What a model is to learn: the batches it is given, and how it is judged. */
export interface Task<Figures extends object = object> {
  /** A batch of the training part, as a pure function of the seed, the step and the micro-batch. */
  batchAt(at: BatchAt): HostBatch;
  /** The batches that the model is validated on, the same every time. */
  validation: HostBatch[];
  /** What the evaluations of the validation batches, in their order, say of the model. */
  judge(evaluations: Evaluation[]): {
    /** Mean cross entropy in nats a target. */
    loss: number;
  } & Figures;
}

/** Assignments of each expert in each MoE layer, over some evaluations. */
export function totalLoad(evaluations: Evaluation[]): number[][] {
  return evaluations[0]!.load.map((row, layer) =>
    row.map((_, expert) => evaluations.reduce((sum, { load }) => sum + load[layer]![expert]!, 0)),
  );
}

/** The micro-batches of a step. */
export function stepBatches(task: Task, { config }: Model, { batch, seed }: TrainSettings, step: number): HostBatch[] {
  return Array.from({ length: batch.accumulate }, (_, micro) =>
    task.batchAt({ seed, step, micro, batch: batch.size, context: config.context }),
  );
}
