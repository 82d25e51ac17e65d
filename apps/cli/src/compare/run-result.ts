import { mean, median } from "../statistics";

/** Losses on held-out text at a step. */
export interface HeldOut {
  step: number;
  /** Nats a token. */
  loss: number;
  bitsPerByte: number;
}

/** What a run of one router with one seed came to; `result.json` of its folder. */
export interface RunResult {
  seed: number;
  adapter: string;
  /** In order. */
  validations: HeldOut[];
  /** The lowest validation loss, and the loss on the test part at that step. */
  best: { step: number; validation: HeldOut; test: HeldOut };
  /** Training loss in nats a token: means over equal parts of the run. */
  training: { step: number; loss: number }[];
  /** Median over the steps of the run. */
  msPerStep: number;
  /** Bytes of parameters, moments and programs on the device, as planned before the first step. */
  memory: number;
  /** Wall time of its steps, validations left out. */
  seconds: number;
}

/** A line of metrics.jsonl. */
export interface MetricsLine {
  step: number;
  loss: number;
  split?: "validation" | "test";
  bitsPerByte?: number;
  tokensPerSecond?: number;
}

/** How many points the curve of the training loss has at most. */
const TRAINING_POINTS = 100;

/** What the lines of metrics.jsonl of a finished run come to. */
export function resultOf(
  lines: MetricsLine[],
  run: { seed: number; adapter: string; memory: number; steps: number; tokensPerStep: number },
): RunResult {
  const { steps, tokensPerStep, seed, adapter, memory } = run;
  const trained = lines.filter(({ split }) => split === undefined);
  const heldOut = (wanted: string) =>
    lines
      .filter(({ split }) => split === wanted)
      .map(({ step, loss, bitsPerByte }) => ({ step, loss, bitsPerByte: bitsPerByte! }));
  const validations = heldOut("validation");
  const validation = validations.reduce((best, one) => (one.loss < best.loss ? one : best));
  const test = heldOut("test").find(({ step }) => step === validation.step);
  if (!test) throw new Error(`compare: needs the test loss of step ${validation.step} in metrics.jsonl, got none`);
  const milliseconds = trained.map(({ tokensPerSecond }) => (1000 * tokensPerStep) / tokensPerSecond!);
  const part = Math.max(1, Math.ceil(steps / TRAINING_POINTS));
  const parts = Array.from({ length: Math.ceil(trained.length / part) }, (_, index) =>
    trained.slice(index * part, (index + 1) * part),
  );
  return {
    seed,
    adapter,
    validations,
    best: { step: validation.step, validation, test },
    training: parts.map((some) => ({ step: some.at(-1)!.step, loss: mean(some.map(({ loss }) => loss)) })),
    msPerStep: median(milliseconds),
    memory,
    seconds: milliseconds.reduce((sum, ms) => sum + ms, 0) / 1000,
  };
}
