import { byteTokenizer, encodeExamples, labelsOf } from "@webmoe/data";
import { classifier } from "@webmoe/model";
import { recurrentRouter } from "@webmoe/router-recurrent";
import { openGpu } from "@webmoe/webgpu/node";
import { describe, expect, test } from "vitest";
import { trainSettings } from "../settings";
import { type Report, train } from "../train";
import type { ClassificationFigures } from "./classification-figures";
import { classificationFigures } from "./classification-figures";
import { classificationTask } from "./classification-task";

const context = 16;
const config = {
  vocab: 256,
  dim: 16,
  layers: 2,
  heads: 2,
  context,
  moe: { experts: 4, topK: 2, hidden: 12, balanceLoss: 0.01, zLoss: 0 },
};
const animals = ["cat", "dog", "hen"];
const examples = Array.from({ length: 90 }, (_, index) => ({
  text: `${"abcdefgh".slice(index % 8)} ${animals[index % 3]}`,
  label: animals[index % 3]!,
}));
const open = () => openGpu({ adapter: process.env.WEBMOE_TEST_ADAPTER });

describe.each(["mean", "last"] as const)("with the %s state", (pool) => {
  test("a classifier learns to tell texts apart, padded as they are, and is judged on every one", async () => {
    const model = classifier(config, recurrentRouter({ dim: 8 }), { classes: 3, pool });
    const encoded = encodeExamples(examples, { tokenizer: byteTokenizer(), labels: labelsOf(examples), context });
    const task = classificationTask(
      { train: encoded.slice(0, 70), validation: encoded.slice(70), classes: 3 },
      { batch: 8, context, accumulate: 1 },
    );
    const settings = trainSettings({ train: { steps: 40 }, optimizer: { lr: 1e-2 }, schedule: { warmup: 4 } });
    let validation: (Report<ClassificationFigures> & { kind: "validation" }) | undefined;
    const losses: number[] = [];
    for await (const report of train({ open, model, settings, data: task })) {
      if (report.kind === "step") losses.push(report.loss);
      if (report.kind === "validation") validation = report;
    }
    expect(losses[0]).toBeCloseTo(Math.log(3), 0);
    expect(validation!.accuracy).toBeGreaterThan(0.9);
    expect(validation!.macroF1).toBeGreaterThan(0.9);
    expect(validation!.confusion.flat().reduce((a, b) => a + b)).toBe(20);
    // Padding goes to no expert: two assignments of every token of the 20 texts, and no more.
    const tokens = encoded.slice(70).reduce((sum, { tokens }) => sum + tokens.length, 0);
    expect(validation!.load.map((row) => row.reduce((a, b) => a + b))).toEqual([2 * tokens, 2 * tokens]);
  });
});

test("accuracy and macro F1 are those of the textbook", () => {
  // Class 0: 3 of 4 found, and one other taken for it: F1 = 6 / 8. Class 1: 2 of 3, one too many: 4 / 6. Class 2 has no text.
  const confusion = [
    [3, 1, 0],
    [1, 2, 0],
    [0, 0, 0],
  ];
  const { accuracy, macroF1 } = classificationFigures(confusion);
  expect(accuracy).toBeCloseTo(5 / 7, 12);
  expect(macroF1).toBeCloseTo((6 / 8 + 4 / 6) / 2, 12);
});
