import { mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Piece } from "./corpora/corpus";
import { inside } from "./corpora/inside";
import { readCsv } from "./corpora/read-csv";
import { readJsonl } from "./corpora/read-jsonl";
import { checkManifest } from "./shards/manifest";
import { readTokenizer } from "./tokenizers/hugging-face-tokenizer";
import { byteLevelJson } from "./tokenizers/tokenizer-json";

const RUNS = { numRuns: 10_000, seed: 1 };
const folder = mkdtempSync(join(tmpdir(), "webmoe-fuzz-"));

type Read = (path: string, column: string | undefined) => AsyncGenerator<Piece>;

/** Documents in a file of the given bytes; an error has to say what is wrong with the data. */
async function documents(read: Read, path: string, bytes: Uint8Array | string): Promise<number> {
  writeFileSync(path, bytes);
  let found = 0;
  try {
    for await (const piece of read(path, undefined)) found += piece.bytes.length > 0 ? 1 : 0;
  } catch (error) {
    expect((error as Error).message, JSON.stringify(bytes)).toMatch(/^data: /);
  }
  return found;
}

/** Documents in ten thousand files, some of which are read at a time. */
async function documentsOf(read: Read, ending: string, contents: fc.Arbitrary<Uint8Array | string>): Promise<number> {
  const all = fc.sample(contents, RUNS);
  let found = 0;
  for (let start = 0; start < all.length; start += 50) {
    const reads = all.slice(start, start + 50);
    const counts = await Promise.all(reads.map((bytes, i) => documents(read, join(folder, `${i}.${ending}`), bytes)));
    found += counts.reduce((sum, count) => sum + count, 0);
  }
  expect(readdirSync(folder).filter((name) => !/^\d+\.(jsonl|csv)$/.test(name))).toEqual([]);
  return found;
}

const jsonLine = fc.oneof(
  fc.record({ text: fc.oneof(fc.string(), fc.jsonValue({ maxDepth: 2 })) }).map((row) => JSON.stringify(row)),
  fc.json({ maxDepth: 3 }),
  fc.string(),
);
const cell = fc.oneof(fc.string(), fc.constantFrom('"', '""', '"a\n', "text", ",", "\r", "\ufeff", "\0"));

test("JSON lines of any kind", async () => {
  const lines = fc.array(jsonLine, { maxLength: 5 }).map((all) => all.join("\n"));
  expect(await documentsOf(readJsonl, "jsonl", fc.oneof(lines, fc.uint8Array({ maxLength: 80 })))).toBeGreaterThan(500);
}, 240_000);

test("CSV of any kind", async () => {
  const cells = fc.array(cell, { minLength: 1, maxLength: 3 }).map((all) => all.join(","));
  const rows = fc.array(cells, { maxLength: 4 });
  const headed = rows.map((all) => ["text,label", ...all].join("\n"));
  const contents = fc.oneof(
    headed,
    rows.map((all) => all.join("\n")),
    fc.uint8Array({ maxLength: 80 }),
  );
  expect(await documentsOf(readCsv, "csv", contents)).toBeGreaterThan(500);
}, 240_000);

/** A tokenizer.json with one value in it replaced, or left out. */
const tokenizer = fc
  .tuple(
    fc.constantFrom(
      ...["model", "model.type", "model.vocab", "model.vocab.a", "model.merges", "model.merges.0", "model.unk_token"],
      ...["added_tokens", "added_tokens.0", "added_tokens.0.id", "added_tokens.0.content", "normalizer"],
      ...[
        "pre_tokenizer",
        "pre_tokenizer.type",
        "pre_tokenizer.use_regex",
        "decoder",
        "decoder.type",
        "post_processor",
      ],
    ),
    fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.constantFrom(undefined, 2 ** 53, -1, 1e9, "BPE", "WordPiece", "Unigram", "ByteLevel", "Sequence", "__proto__"),
    ),
  )
  .map(([path, value]) => {
    const json = byteLevelJson({ a: 0, b: 1, ab: 2, " ": 3 }, [["a", "b"]], [{ id: 4, content: "<|end|>" }]);
    const keys = path.split(".");
    const last = keys.pop()!;
    const parent = keys.reduce<unknown>((branch, name) => (branch as Record<string, unknown>)[name], json);
    (parent as Record<string, unknown>)[last] = value;
    return json;
  });

test("tokenizer files of any kind", async () => {
  let read = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.oneof({ weight: 9, arbitrary: tokenizer as fc.Arbitrary<unknown> }, fc.jsonValue()),
      async (json) => {
        try {
          const { encode, decode } = await readTokenizer(json);
          decode(encode("ab a<|end|>"));
          read++;
        } catch (error) {
          expect((error as Error).message).toMatch(/^(readTokenizer|tokenizer)\b.*: /);
        }
      },
    ),
    RUNS,
  );
  expect(read).toBeGreaterThan(1000);
}, 240_000);

test("no name in a manifest or of a hub leads out of its folder", () => {
  const part = fc.oneof(fc.constantFrom("..", ".", "", "a", "C:", "a\\..\\..", "\0"), fc.string());
  const path = fc.oneof(
    fc.array(part, { maxLength: 5 }).map((parts) => parts.join("/")),
    fc.string(),
  );
  fc.assert(
    fc.property(path, (name) => {
      try {
        expect(inside("/cache/hub", name)).toMatch(/^\/cache\/hub\/[^/]/);
        expect(inside("/cache/hub", name).split("/")).not.toContain("..");
      } catch (error) {
        expect((error as Error).message).toMatch(/^data: needs a file name within/);
      }
      const manifest = { format: 1, identity: "", width: 1, vocab: 1, tokens: 1, bytes: 1, documents: 0 };
      const shards = [{ file: name, tokens: 1 }];
      expect(() => checkManifest({ ...manifest, shards }, "/cache")).toThrow(/^shards: needs file names such as/);
    }),
    RUNS,
  );
});
