import { batchAt } from "@webmoe/data";
import { languageModel } from "@webmoe/model";
import { recurrentRouter } from "@webmoe/router-recurrent";
import { type DeviceTensor, leaves, readTensor, writeTensor } from "@webmoe/tensor";
import { testGpu } from "@webmoe/webgpu/testing";
import { expect, test } from "vitest";
import { openSession } from "./session";
import { trainSettings } from "./settings";
import { explodedLoss } from "./step/bad-steps";

const moe = { experts: 4, topK: 2, hidden: 12, balanceLoss: 0, zLoss: 0 };
const model = languageModel(
  { vocab: 256, dim: 16, layers: 2, heads: 2, context: 16, moe },
  recurrentRouter({ dim: 8 }),
);
const text = new TextEncoder().encode("It was the best of times, it was the worst of times. ".repeat(20));

/** Losses, gradient norms and the last step's figures of three steps. */
async function threeSteps(accumulate: number, routing: boolean) {
  const settings = trainSettings({ batch: { size: 2, accumulate } });
  const session = await openSession(await testGpu(), model, settings, { routing });
  try {
    const figures = [];
    for (let step = 1; step <= 3; step++) {
      const batches = Array.from({ length: accumulate }, (_, micro) =>
        batchAt(text, { seed: 1, step, micro, batch: 2, context: 16 }),
      );
      figures.push(await (await session.step(batches, 0.01, step)).values);
    }
    const learned = figures.map(({ loss, gradNorm }) => [loss, gradNorm]);
    return { learned, last: figures.at(-1)!, dispatches: session.stats.dispatches };
  } finally {
    session.close();
  }
}

test.each([1, 2])(
  "a step that is not asked what its routers did trains the same, micro-batches: %i",
  async (accumulate) => {
    const asked = await threeSteps(accumulate, true);
    const quiet = await threeSteps(accumulate, false);
    expect(quiet.learned).toEqual(asked.learned);
    expect(asked.last.load).toHaveLength(2);
    expect(asked.last.entropy).toHaveLength(2);
    expect(quiet.last).toMatchObject({ balance: [], entropy: [], load: [], balanceLoss: 0 });
    expect(quiet.dispatches).toBeLessThan(asked.dispatches);
  },
);

// Gradients of an exploded loss overflow where operands are f16, and with the largest scale on every adapter.
test.each([
  [1, "f32", 1],
  [2, "f32", 1],
  [1, "mixed", 2 ** 16],
  [2, "mixed", 2 ** 16],
  [1, "mixed", 2 ** 100],
] as const)(
  "a step whose loss exploded leaves every parameter, moment and loss scale: %i micro-batches, %s, scale %d",
  async (accumulate, precision, scale) => {
    const settings = trainSettings({ batch: { size: 2, accumulate }, precision });
    const session = await openSession(await testGpu(), model, settings);
    const batches = Array.from({ length: accumulate }, (_, micro) =>
      batchAt(text, { seed: 1, step: 1, micro, batch: 2, context: 16 }),
    );
    /** Everything but how many steps were skipped. */
    const state = () =>
      Promise.all(
        leaves<DeviceTensor>(session.state)
          .filter(([path]) => !path.endsWith("lossScale.skipped"))
          .map(async ([path, leaf]) => [path, [...(await readTensor(leaf))]]),
      );
    const step = async () => (await session.step(batches, 0.01, 1)).values;
    try {
      const { head } = session.state.parameters as unknown as { head: DeviceTensor };
      const weights = await readTensor(head);
      const most = explodedLoss(model);
      const { lossScale } = session.state.optimizer;
      for (const factor of [2000, 1]) {
        writeTensor(
          head,
          weights.map((weight) => factor * weight),
        );
        if (lossScale) writeTensor(lossScale.scale, Float32Array.of(factor === 1 ? 2 ** 16 : scale));
        const before = await state();
        const { loss, gradNorm, skipped } = await step();
        if (precision === "f32" || factor === 1) expect(Number.isFinite(gradNorm)).toBe(true);
        if (scale === 2 ** 100 && factor !== 1) expect(Number.isFinite(gradNorm)).toBe(false);
        if (factor === 1) {
          expect(loss).toBeLessThan(most);
          expect(await state()).not.toEqual(before);
        } else {
          expect(loss).toBeGreaterThan(most);
          expect(await state()).toEqual(before);
          if (precision === "mixed") expect(skipped).toBe(1);
        }
      }
    } finally {
      session.close();
    }
  },
);
