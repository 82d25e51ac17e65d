import { expect, test } from "vitest";
import { classificationPage } from "./classification-page.mjs";

const shared = {
  model: { layers: 2, dim: 8, context: 16, dropout: 0.1 },
  moe: { experts: 4, topK: 2 },
  batch: { size: 4 },
  optimizer: { name: "adamw", lr: 0.001 },
  router: { name: "recurrent" },
  precision: "f32",
};

/** @param {number} seed @param {number[]} accuracies at steps 5, 10 … @param {{ from?: string, freeze?: string[] }} [start] */
function run(seed, accuracies, { from, freeze } = {}) {
  const config = {
    ...shared,
    task: "classify",
    seed,
    data: "banking77/train.csv",
    classification: { labels: ["a", "b"], validation: "banking77/test.csv" },
    train: { steps: 5 * accuracies.length },
    start: { ...(from && { from }) },
    ...(freeze && { freeze }),
  };
  const lines = accuracies.flatMap((accuracy, index) => [
    { step: 5 * (index + 1), loss: 9 },
    { step: 5 * (index + 1), split: "validation", loss: 1 - accuracy, accuracy, macroF1: accuracy / 2 },
  ]);
  return { name: `run-${seed}`, config, version: "0.0.0", lines };
}

const language = {
  name: "language",
  config: { ...shared, task: "language", data: "text.gz", train: { steps: 100 }, seed: 1, start: {} },
  version: "0.0.0",
  lines: [{ step: 100, split: "validation", loss: 1.5, bitsPerByte: 2.164 }],
};

test("variants stand in order, with means over seeds and differences by seed, of the last step", () => {
  const page = classificationPage(
    [
      run(1, [0.3, 0.7], { from: "language", freeze: ["router"] }),
      run(2, [0.3, 0.75], { from: "language", freeze: ["router"] }),
      run(1, [0.4, 0.8], { from: "language" }),
      run(2, [0.4, 0.7], { from: "language" }),
      run(1, [0.35, 0.6], { from: "language", freeze: ["router.layers.*.gate"] }),
      run(1, [0.9, 0.5]),
      run(2, [0.1, 0.6]),
      language,
    ],
    "some gpu",
  );
  const labels = [...page.matchAll(/^\| (from scratch|fine-tuned[^|]*) \|/gm)].map((match) => match[1]);
  const order = ["from scratch", "fine-tuned", "fine-tuned, gates frozen", "fine-tuned, router frozen"];
  expect(labels).toEqual([...order, ...order]);
  expect(page).toContain("| from scratch | 55.00 ± 7.07 % | 27.50 ± 3.54 % | 0.450 ± 0.071 |  |  |");
  expect(page).toContain("| fine-tuned | 75.00 ± 7.07 % | 37.50 ± 3.54 % | 0.250 ± 0.071 | +30.00, +10.00 |  |");
  expect(page).toContain("| fine-tuned, gates frozen | 60.00 % | 30.00 % | 0.400 | +10.00 | -20.00 |");
  expect(page).toContain("| from scratch | 50.0 % | 55.0 % |");
  expect(page).toContain("2.164 bits per byte");
  expect(page).toContain("some gpu");
});

test("one seed is said, and no runs are an error", () => {
  expect(classificationPage([run(3, [0.5])], "some gpu")).toContain(
    "**One seed: differences of a few points may be chance.**",
  );
  expect(() => classificationPage([language], "some gpu")).toThrow("classification-page: needs runs of webmoe train");
});
