import { type Batch, type BatchAt, below, IGNORED, randomNumbers } from "./batches";
import { readTokens, type Tokens } from "./token-source";

/** Where the documents of some tokens begin. */
export interface Documents {
  /** How many documents there are. */
  readonly count: number;
  /** Token at which a document begins, from 0; for `count`, where the last one ends. */
  start(index: number): number;
}

/** The documents that lie whole in the first `length` tokens. */
export function documentsWithin(documents: Documents, length: number): Documents {
  let [low, high] = [0, documents.count];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (documents.start(middle + 1) <= length) low = middle + 1;
    else high = middle;
  }
  return { count: low, start: documents.start };
}

/** Documents that may be drawn in vain, for having no token with one after it. */
const VAIN_DRAWS = 1000;

/**
 * A document a sequence, drawn at random and padded: targets past its end are `IGNORED`. Of a longer document a stretch at a
 * random place. A pure function of the seed, the step and the micro-batch, like `batchAt`, which packs documents instead.
 */
export function documentBatchAt(
  tokens: Tokens,
  documents: Documents,
  { seed, step, micro = 0, batch, context }: BatchAt,
): Batch {
  if (documents.count === 0) {
    throw new Error("data: needs a whole document in the training part, got none: use documents.pack=true");
  }
  const random = randomNumbers(seed, step, micro);
  const result = {
    tokens: new Uint32Array(batch * context),
    targets: new Uint32Array(batch * context).fill(IGNORED),
  };
  for (let row = 0; row < batch; row++) {
    const { first, length } = draw();
    const used = Math.min(context, length - 1);
    const start = first + (length - 1 > context ? below(length - context, random) : 0);
    const window = new Uint32Array(used + 1);
    readTokens(tokens, start, window);
    result.tokens.set(window.subarray(0, used), row * context);
    result.targets.set(window.subarray(1), row * context);
  }
  return result;

  function draw() {
    for (let tries = 0; tries < VAIN_DRAWS; tries++) {
      const index = below(documents.count, random);
      const first = documents.start(index);
      const end = documents.start(index + 1);
      if (end - first > 1) return { first, length: end - first };
    }
    throw new Error("data: needs documents of two tokens and more: use documents.pack=true");
  }
}
