import { type BatchAt, below, IGNORED, randomNumbers } from "../batches";
import type { Tokenizer } from "../tokenizers/tokenizer";
import type { Example } from "./example";

/** Texts with their classes, padded to one length. */
export type LabelledBatch = {
  /** [B, T]; zeros past a text's length. */
  tokens: Uint32Array;
  /** Tokens of each text, [B]. */
  lengths: Uint32Array;
  /** Its class, [B]; `IGNORED` where a last batch has no more texts. */
  labels: Uint32Array;
};

/** A text in tokens, and the number of its class. */
export interface LabelledTokens {
  /** Token ids of one example, at most as many as were asked for. */
  tokens: Uint32Array;
  /** Number of the class, from 0. */
  label: number;
}

/** Examples in tokens, of each the first `context`; a class that is not one of `labels` is an error. */
export function encodeExamples(
  examples: Example[],
  { tokenizer, labels, context }: { tokenizer: Tokenizer; labels: string[]; context: number },
): LabelledTokens[] {
  const numbers = new Map(labels.map((label, index) => [label, index]));
  return examples.map(({ text, label }) => {
    const number = numbers.get(label);
    if (number === undefined) {
      throw new Error(
        `data: needs a class of ${labels.slice(0, 10).join(", ")}${labels.length > 10 ? ", ..." : ""}, got "${label}"`,
      );
    }
    // No token is longer than some tens of characters: what cannot be within the context is not encoded.
    return { tokens: tokenizer.encode(text.slice(0, context * 64)).slice(0, context), label: number };
  });
}

/** Part the examples at random, the same way every time: a share to validate on, and the rest to train on. */
export function splitExamples(examples: Example[], share = 0.1): { train: Example[]; validation: Example[] } {
  const order = Array.from(shuffled(examples.length, 0), (index) => examples[index]!);
  const cut = Math.max(1, Math.floor(examples.length * share));
  return { train: order.slice(cut), validation: order.slice(0, cut) };
}

/**
 * Batches that go through all examples in a new random order, then again in another: a pure function of the seed, the step and
 * the micro-batch. `accumulate`: micro-batches of a step.
 */
export function labelledBatches(examples: LabelledTokens[], accumulate: number): (at: BatchAt) => LabelledBatch {
  let last: { key: string; order: Uint32Array } | undefined;
  const orderOf = (seed: number, epoch: number) => {
    const key = `${seed}.${epoch}`;
    if (last?.key !== key) last = { key, order: shuffled(examples.length, seed, epoch) };
    return last.order;
  };
  return ({ seed, step, micro = 0, batch, context }) => {
    const first = ((step - 1) * accumulate + micro) * batch;
    const chosen = Array.from({ length: batch }, (_, row) => {
      const place = first + row;
      return examples[orderOf(seed, Math.floor(place / examples.length))[place % examples.length]!]!;
    });
    return pad(chosen, batch, context);
  };
}

/** All examples in their order; the last batch is filled up with texts that do not count. */
export function inOrder(
  examples: LabelledTokens[],
  { batch, context }: { batch: number; context: number },
): LabelledBatch[] {
  return Array.from({ length: Math.ceil(examples.length / batch) }, (_, index) =>
    pad(examples.slice(index * batch, (index + 1) * batch), batch, context),
  );
}

function pad(examples: LabelledTokens[], batch: number, context: number): LabelledBatch {
  const result = {
    tokens: new Uint32Array(batch * context),
    lengths: new Uint32Array(batch).fill(1),
    labels: new Uint32Array(batch).fill(IGNORED),
  };
  examples.forEach(({ tokens, label }, row) => {
    result.tokens.set(tokens, row * context);
    result.lengths[row] = Math.max(1, tokens.length);
    result.labels[row] = label;
  });
  return result;
}

/** The numbers below `count` in a random order (Fisher and Yates), a function of the place. */
function shuffled(count: number, ...place: number[]): Uint32Array {
  const random = randomNumbers(...place);
  const order = Uint32Array.from({ length: count }, (_, index) => index);
  for (let index = count - 1; index > 0; index--) {
    const other = below(index + 1, random);
    [order[index], order[other]] = [order[other]!, order[index]!];
  }
  return order;
}
