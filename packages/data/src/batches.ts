import { readTokens, type Tokens } from "./token-source";

/** Sequences to learn from, one after the other: the target of a token is the token after it. */
export type Batch = {
  /** Token ids, [batch, context]. */
  tokens: Uint32Array;
  /** The token after each one, [batch, context]; `IGNORED` where it takes no part in the loss. */
  targets: Uint32Array;
};

/** Which batch of a run is wanted. */
export interface BatchAt {
  /** Another seed draws other batches. */
  seed: number;
  /** Step of the run, from 1. */
  step: number;
  /** Number of the micro-batch in the step, from 0. Default 0. */
  micro?: number;
  /** Sequences. */
  /** Sequences of the batch. */
  batch: number;
  /** Tokens of each sequence. */
  context: number;
}

/**
 * Windows at random places, as a pure function of the seed, the step and the micro-batch: a resumed run sees what the
 * unbroken one would have.
 */
export function batchAt(tokens: Tokens, { seed, step, micro = 0, batch, context }: BatchAt): Batch {
  checkLength(tokens, context, "training");
  const places = tokens.length - context;
  const random = randomNumbers(seed, step, micro);
  return windows(
    tokens,
    context,
    Array.from({ length: batch }, () => below(places, random)),
  );
}

/** The same windows every time, spread evenly over the tokens; fewer batches where the text is short. */
export function validationBatches(
  tokens: Tokens,
  options: { batch: number; context: number; batches: number },
): Batch[] {
  const { batch, context, batches } = options;
  checkLength(tokens, context, "validation");
  const places = Math.floor((tokens.length - 1) / context);
  const wanted = Math.max(1, Math.min(batches, Math.floor(places / batch)));
  const spacing = (tokens.length - context - 1) / Math.max(1, wanted * batch - 1);
  return Array.from({ length: wanted }, (_, index) =>
    windows(
      tokens,
      context,
      Array.from({ length: batch }, (_, sequence) => Math.floor((index * batch + sequence) * spacing)),
    ),
  );
}

/** Cut a corpus into a part to train on and, at its end, a part to validate on. */
export function splitTokens<T extends Tokens>(tokens: T, validationShare = 0.1): { train: T; validation: T } {
  if (!(validationShare >= 0 && validationShare < 1)) {
    throw new Error(`splitTokens: needs a validation share from 0 up to but not 1, got ${validationShare}`);
  }
  const cut = tokens.length - Math.floor(tokens.length * validationShare);
  return { train: tokens.subarray(0, cut) as T, validation: tokens.subarray(cut) as T };
}

/** Bits per byte of text from a mean loss in nats a token. */
export function bitsPerByte(loss: number, tokens = 1, bytes = 1): number {
  return (loss * tokens) / Math.LN2 / bytes;
}

/**
 * Bytes of text that a target stands for, over the targets of batches: with it, bits per byte of those batches is exact.
 * `byteLengths` as a tokenizer has them.
 */
export function bytesPerTarget(batches: Batch[], byteLengths: Uint32Array): number {
  let [bytes, count] = [0, 0];
  for (const { targets } of batches) {
    for (const target of targets) {
      if (target === IGNORED) continue;
      bytes += byteLengths[target] ?? 0;
      count++;
    }
  }
  return bytes / Math.max(1, count);
}

/** A target that takes no part in the loss (`IGNORE` of @webmoe/tensor): padding. */
export const IGNORED = 0xffffffff;

function checkLength(tokens: Tokens, context: number, part: string): void {
  if (tokens.length < context + 1) {
    throw new Error(
      `data: the ${part} part needs at least ${context + 1} tokens for one sequence of model.context ${context}, got ${tokens.length}: ` +
        "use a longer text or a shorter context",
    );
  }
}

function windows(tokens: Tokens, context: number, starts: number[]): Batch {
  const batch = { tokens: new Uint32Array(starts.length * context), targets: new Uint32Array(starts.length * context) };
  const window = new Uint32Array(context + 1);
  starts.forEach((start, index) => {
    readTokens(tokens, start, window);
    batch.tokens.set(window.subarray(0, context), index * context);
    batch.targets.set(window.subarray(1), index * context);
  });
  return batch;
}

/** A stream of 32-bit numbers for one place of a run: a counter through the murmur3 finalizer, twice. */
export function randomNumbers(...place: number[]): () => number {
  const start = place.reduce((hash, part) => mix(hash ^ mix(part + 0x9e3779b9)), 0x243f6a88);
  let counter = 0;
  return () => mix(mix(start + Math.imul(++counter, 0x9e3779b9)) ^ start);
}

function mix(value: number): number {
  let x = value >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

/** A whole number below `limit`, all equally likely: numbers past the last full multiple are drawn again. */
export function below(limit: number, random: () => number): number {
  // Corpora of 2^32 tokens and more take 53 bits.
  const range = limit <= 2 ** 32 ? 2 ** 32 : 2 ** 53;
  const draw = range === 2 ** 32 ? random : () => (random() >>> 11) * 2 ** 32 + random();
  const end = range - (range % limit);
  for (;;) {
    const number = draw();
    if (number < end) return number % limit;
  }
}
