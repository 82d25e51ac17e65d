import { IGNORED, inOrder, type LabelledTokens, labelledBatches } from "@webmoe/data";
import { type ClassificationFigures, classificationFigures } from "./classification-figures";
import type { Task } from "./task";

/** Texts to learn to tell apart. */
export interface LabelledData {
  /** The examples to learn from. */
  train: LabelledTokens[];
  /** Judged whole, in every validation. */
  validation: LabelledTokens[];
  /** How many classes there are. */
  classes: number;
}

/** Find the class of a text; judged on every text of the validation part. `accumulate`: micro-batches of a step. */
export function classificationTask(
  data: LabelledData,
  { batch, context, accumulate }: { batch: number; context: number; accumulate: number },
): Task<ClassificationFigures> {
  const { classes } = data;
  const validation = inOrder(data.validation, { batch, context });
  return {
    batchAt: labelledBatches(data.train, accumulate),
    validation,
    judge(evaluations) {
      const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
      let [loss, count] = [0, 0];
      for (const [index, evaluation] of evaluations.entries()) {
        const labels = validation[index]!.labels.filter((label) => label !== IGNORED);
        labels.forEach((label, row) => {
          confusion[label]![largest(evaluation.scores!.subarray(row * classes, (row + 1) * classes))]!++;
        });
        loss += evaluation.loss * labels.length;
        count += labels.length;
      }
      return { loss: loss / count, ...classificationFigures(confusion) };
    },
  };
}

/** The place of the largest number, the first of equal ones. */
function largest(numbers: Float32Array): number {
  return numbers.reduce((best, number, index) => (number > numbers[best]! ? index : best), 0);
}
