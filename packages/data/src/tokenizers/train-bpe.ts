// Training merges the commonest pair of neighbours again and again. A text has few different words, so pairs are counted
// once a word and weighed by how often the word occurs. A merge touches only the words that hold its pair: each pair knows
// them, and a heap knows the commonest pair. Counts only fall for pairs that exist and new pairs are pushed when they are
// made, so an entry of the heap whose count is out of date is pushed back with the right one when it comes up.

import { BYTE_ALPHABET } from "./byte-alphabet";
import { pairHeap } from "./pair-heap";
import { byteLevelJson, type TokenizerJson } from "./tokenizer-json";
import { utf8Runs } from "./utf8-runs";
import { detached, splitWords } from "./words";

/** What a byte-level BPE is trained with. */
export interface TrainBpeOptions {
  /** Tokens in all, 256 bytes and the special ones among them. */
  vocab: number;
  /** Tokens with a meaning of their own, such as a mark between documents; numbered after the others. */
  special?: string[];
}

/** Counts words of a text that comes in parts, then learns merges from them. */
export interface BpeTrainer {
  /** Count the words of another piece of text. */
  add(bytes: Uint8Array): void;
  /** The tokenizer.json of a byte-level BPE; it has fewer tokens than asked for where no pair is left to merge. */
  finish(): TokenizerJson;
}

/** Train a byte-level BPE (Sennrich et al. 2016, on bytes as in GPT-2). Same text, same merges. */
export function bpeTrainer({ vocab, special = [] }: TrainBpeOptions): BpeTrainer {
  const merges = vocab - 256 - special.length;
  if (!Number.isInteger(vocab) || merges < 0) {
    throw new Error(`trainBpe: needs a vocabulary of at least ${256 + special.length} tokens, got ${vocab}`);
  }
  if (vocab > MOST) throw new Error(`trainBpe: needs a vocabulary of at most ${MOST} tokens, got ${vocab}`);
  const counts = new Map<string, number>();
  const text = new TextDecoder("utf-8", { ignoreBOM: true });
  return {
    add(bytes) {
      for (const run of utf8Runs(bytes)) {
        if (!("text" in run)) continue;
        for (const word of splitWords(text.decode(run.text))) {
          const count = counts.get(word);
          counts.set(count === undefined ? detached(word) : word, (count ?? 0) + 1);
        }
      }
    },
    finish: () => asJson(learnMerges(counts, merges), special),
  };
}

/** Pairs are kept as one number, first * MOST + second. */
const MOST = 1 << 24;

interface Learned {
  /** Every token in the byte alphabet. */
  names: string[];
  /** The pairs to merge, in order. */
  merges: [number, number][];
}

function learnMerges(wordCounts: Map<string, number>, wanted: number): Learned {
  const utf8 = new TextEncoder();
  const words = Array.from(wordCounts.keys(), (word) => Array.from(utf8.encode(word)));
  const weights = [...wordCounts.values()];
  const counts = new Map<number, number>();
  const places = new Map<number, Set<number>>();
  const heap = pairHeap();
  const change = (pair: number, by: number, word: number) => {
    counts.set(pair, (counts.get(pair) ?? 0) + by);
    if (by < 0) return;
    const at = places.get(pair);
    if (at) at.add(word);
    else places.set(pair, new Set([word]));
  };
  for (const [index, word] of words.entries()) {
    for (let i = 0; i + 1 < word.length; i++) change(word[i]! * MOST + word[i + 1]!, weights[index]!, index);
  }
  for (const [pair, count] of counts) heap.push(pair, count);

  const names = [...BYTE_ALPHABET];
  const numbers = new Map(names.map((name, id) => [name, id]));
  const merges: [number, number][] = [];
  while (names.length < 256 + wanted) {
    const top = heap.pop();
    if (!top) break;
    const count = counts.get(top.pair) ?? 0;
    if (count !== top.count) {
      if (count > 0) heap.push(top.pair, count);
      continue;
    }
    const first = Math.floor(top.pair / MOST);
    const second = top.pair % MOST;
    // Two ways to one string, such as aa+aa and aaa+a, make one token.
    const name = names[first]! + names[second]!;
    const token = numbers.get(name) ?? names.push(name) - 1;
    numbers.set(name, token);
    const fresh = new Set<number>();
    for (const index of places.get(top.pair)!) {
      const weight = weights[index]!;
      const word = words[index]!;
      const merged: number[] = [];
      for (let i = 0; i < word.length; i++) {
        if (word[i] !== first || word[i + 1] !== second) {
          merged.push(word[i]!);
          continue;
        }
        merged.push(token);
        i++;
      }
      if (merged.length === word.length) continue;
      for (let i = 0; i + 1 < word.length; i++) change(word[i]! * MOST + word[i + 1]!, -weight, index);
      for (let i = 0; i + 1 < merged.length; i++) {
        const pair = merged[i]! * MOST + merged[i + 1]!;
        change(pair, weight, index);
        if (merged[i] === token || merged[i + 1] === token) fresh.add(pair);
      }
      words[index] = merged;
    }
    counts.delete(top.pair);
    places.delete(top.pair);
    for (const pair of fresh) heap.push(pair, counts.get(pair)!);
    merges.push([first, second]);
  }
  return { names, merges };
}

function asJson({ names, merges }: Learned, special: string[]): TokenizerJson {
  const pairs = merges.map(([first, second]): [string, string] => [names[first]!, names[second]!]);
  const vocab = Object.fromEntries(names.map((name, id) => [name, id]));
  const marks = special.map((content, index) => ({ id: names.length + index, content }));
  for (const { id, content } of marks) vocab[content] = id;
  return byteLevelJson(vocab, pairs, marks);
}
