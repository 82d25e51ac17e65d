import { type BatchAt, batchAt } from "@webmoe/data";
import { languageModel } from "@webmoe/model";
import { linearRouter } from "@webmoe/router-linear";
import { add, compile, gradients, leaves, scale, type Tensor, u32 } from "@webmoe/tensor";
import { testGpu } from "@webmoe/webgpu/testing";
import { expect, test } from "vitest";
import { memoryRun } from "./checkpoint/memory-run";
import { openSession } from "./session";
import { trainSettings } from "./settings";
import { train } from "./train";

const moe = { experts: 4, topK: 1, hidden: 8, balanceLoss: 3, zLoss: 0 };
const sizes = { vocab: 256, dim: 16, layers: 2, heads: 2, context: 8, moe };
const text = new TextEncoder().encode("It was the best of times, it was the worst of times. ".repeat(9));
const model = languageModel(sizes, linearRouter({ init: "torch" }));

/** Two sequences, of which the second differs enough to load other experts. */
const batch = batchAt(text, { seed: 1, step: 1, batch: 4, context: 8 });
const half = (micro: number) => ({
  tokens: batch.tokens.slice(micro * 16, (micro + 1) * 16),
  targets: batch.targets.slice(micro * 16, (micro + 1) * 16),
});

test("the balance loss of an accumulated step is that of the whole, and its gradient is of the load so far", async () => {
  const gpu = await testGpu();
  const whole = await openSession(gpu, model, trainSettings({ batch: { size: 4 } }));
  const parts = await openSession(gpu, model, trainSettings({ batch: { size: 2, accumulate: 2 } }));
  // loss_1(load_1) / 2 + loss_2(load_1 + load_2) / 2, and for contrast with load_2 alone in the second
  const inputs = { tokens1: u32(2, 8), targets1: u32(2, 8), tokens2: u32(2, 8), targets2: u32(2, 8) };
  const expected = async (soFar: boolean) => {
    const program = await compile(
      gpu,
      { label: "two halves", state: { parameters: parts.state.parameters }, inputs },
      ({ parameters }, { tokens1, targets1, tokens2, targets2 }) => {
        const first = model.loss(parameters as never, { tokens: tokens1, targets: targets1 }, { training: true });
        const loadBefore = soFar ? first.load : undefined;
        const second = model.loss(
          parameters as never,
          { tokens: tokens2, targets: targets2 },
          { training: true, loadBefore },
        );
        return leaves<Tensor>(gradients(scale(add(first.total, second.total), 0.5), parameters)).map(([, dx]) => dx);
      },
    );
    const [a, b] = [half(0), half(1)];
    const ticket = await program.run({
      tokens1: a.tokens,
      targets1: a.targets,
      tokens2: b.tokens,
      targets2: b.targets,
    });
    const values = (await ticket.outputs) as Float32Array[];
    program.close();
    return Math.sqrt(values.reduce((sum, array) => sum + array.reduce((sum, value) => sum + value * value, 0), 0));
  };
  try {
    const [soFar, alone] = [await expected(true), await expected(false)];
    const unsplit = await (await whole.step([batch], 0, 1)).values;
    const split = await (await parts.step([half(0), half(1)], 0, 1)).values;
    expect(split.load).toEqual(unsplit.load);
    expect(split.balanceLoss).toBeCloseTo(unsplit.balanceLoss, 5);
    expect(split.gradNorm / soFar).toBeCloseTo(1, 4);
    expect(Math.abs(split.gradNorm / alone - 1)).toBeGreaterThan(1e-3);
  } finally {
    whole.close();
    parts.close();
  }
});

test("jitter is a function of seed and step: a resumed run makes the noise of an unbroken one", async () => {
  const losses = async (jitter: number, stopAt?: number) => {
    const store = memoryRun();
    const noisy = languageModel({ ...sizes, moe: { ...moe, jitter } }, linearRouter());
    const settings = trainSettings({ train: { steps: 6 }, batch: { size: 2 } });
    const found: number[] = [];
    const goOn = async (resume?: Awaited<ReturnType<typeof store.latestCheckpoint>>) => {
      const stop = new AbortController();
      const data = { train: text, validation: text, batchAt: (at: BatchAt) => batchAt(text, at) };
      const open = async () => Object.assign(Object.create(await testGpu()), { close() {} });
      for await (const report of train({ open, model: noisy, settings, data, store, resume, signal: stop.signal })) {
        if (report.kind !== "step") continue;
        found.push(report.loss);
        if (report.step === stopAt && !resume) stop.abort();
      }
    };
    await goOn();
    if (stopAt !== undefined) await goOn(await store.latestCheckpoint());
    return found;
  };
  const unbroken = await losses(0.3);
  expect(await losses(0.3, 3)).toEqual(unbroken);
  expect(await losses(0)).not.toEqual(unbroken);
});
