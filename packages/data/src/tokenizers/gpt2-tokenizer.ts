import { toAlphabet } from "./byte-alphabet";
import { byteLevelTokenizer } from "./byte-level-tokenizer";
import type { Tokenizer } from "./tokenizer";
import { byteLevelJson } from "./tokenizer-json";

const END_OF_TEXT = "<|endoftext|>";

/**
 * GPT-2's byte-level BPE of 50,257 tokens (Radford et al. 2019), the last of them `<|endoftext|>`, which is found in text.
 * Its table, about half a megabyte, is loaded when it is asked for.
 */
export async function gpt2Tokenizer(): Promise<Tokenizer> {
  const [{ encode }, { default: ranks }] = await Promise.all([
    import("gpt-tokenizer/encoding/r50k_base"),
    import("gpt-tokenizer/bpeRanks/r50k_base"),
  ]);
  const utf8 = new TextEncoder();
  const tokens = ranks.map((token) => (typeof token === "string" ? utf8.encode(token) : Uint8Array.from(token)));
  const plain = { allowedSpecial: new Set<string>(), disallowedSpecial: new Set<string>() };
  const endOfText = { id: tokens.length, content: END_OF_TEXT };
  return byteLevelTokenizer({
    name: "gpt2",
    tokens: [...tokens, utf8.encode(END_OF_TEXT)],
    encodeText(text) {
      const [first, ...others] = text.split(END_OF_TEXT).map((part) => encode(part, plain));
      return others.reduce((ids, part) => ids.concat(endOfText.id, part), first!);
    },
    toJSON() {
      const names = tokens.map(toAlphabet);
      const vocab = Object.fromEntries([...names, END_OF_TEXT].map((name, id) => [name, id]));
      return byteLevelJson(vocab, mergesOf(names), [endOfText]);
    },
  });
}

/** The merge that made each token of more than one byte: its last two parts when only tokens before it are merged. */
function mergesOf(names: string[]): [string, string][] {
  const ids = new Map(names.map((name, id) => [name, id]));
  return names
    .filter((name) => name.length > 1)
    .map((name) => {
      const limit = ids.get(name)!;
      let parts = [...name];
      while (parts.length > 2) {
        let best = -1;
        let rank = limit;
        for (let i = 0; i + 1 < parts.length; i++) {
          const id = ids.get(parts[i]! + parts[i + 1]!) ?? limit;
          if (id < rank) [best, rank] = [i, id];
        }
        if (best < 0) throw new Error(`gpt2Tokenizer: token "${name}" is no merge of two before it`);
        parts = [...parts.slice(0, best), parts[best]! + parts[best + 1]!, ...parts.slice(best + 2)];
      }
      return [parts[0]!, parts[1]!] as [string, string];
    });
}
