import { execFile } from "node:child_process";
import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";

const run = promisify(execFile);
const folder = await mkdtemp(join(tmpdir(), "webmoe-memory-"));
afterAll(() => rm(folder, { recursive: true, force: true }));
const MEGABYTE = 2 ** 20;

/** A file of lines, written in pieces. */
async function textFile(name: string, megabytes: number): Promise<string> {
  const path = join(folder, name);
  const file = await open(path, "w");
  const block = Buffer.alloc(MEGABYTE);
  for (let i = 0; i < megabytes; i++) {
    for (let at = 0; at < MEGABYTE; at += 64) {
      const line = `${Math.imul(i * MEGABYTE + at + 1, 2654435761) >>> 0} whales swam past the ship that day`.padEnd(
        63,
        ".",
      );
      block.write(`${line}\n`, at, "latin1");
    }
    await file.write(block);
  }
  await file.close();
  return path;
}

const place = (path: string) => JSON.stringify(fileURLToPath(new URL(path, import.meta.url)));
const program = `
import { openCorpus } from ${place("../corpora/open-corpus.ts")};
import { tokenizeCorpus } from ${place("./tokenize-corpus.ts")};
import { byteTokenizer } from ${place("../tokenizers/byte-tokenizer.ts")};
import { batchAt, splitTokens } from ${place("../batches.ts")};
const [path, cache] = process.argv.slice(2);
const peak = () => process.resourceUsage().maxRSS / 1024;
const before = peak();
const tokens = await tokenizeCorpus(await openCorpus(path), byteTokenizer(), { cache, shardTokens: 64 * 2 ** 20 });
const { train } = splitTokens(tokens);
let sum = 0;
for (let step = 1; step <= 300; step++) {
  sum += batchAt(train, { seed: 1, step, batch: 16, context: 512 }).tokens[0];
}
console.log(JSON.stringify({ tokens: tokens.length, shards: tokens.manifest.shards.length, sum, growth: peak() - before }));
`;

test("a file of 300 MB is tokenised and read in little memory", async () => {
  const script = join(folder, "program.mts");
  await writeFile(script, program);
  const tsx = createRequire(import.meta.url).resolve("tsx/cli");
  const path = await textFile("large.txt", 300);
  const { stdout } = await run(process.execPath, [tsx, script, path, join(folder, "cache")]);
  const { tokens, shards, growth } = JSON.parse(stdout);
  expect(tokens).toBe(300 * MEGABYTE);
  expect(shards).toBe(5);
  // In megabytes; the file alone has 300.
  expect(growth).toBeLessThan(150);
});
