import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { parquetWriteBuffer } from "hyparquet-writer";
import { expect, test } from "vitest";
import { openCorpus, readCorpus } from "./open-corpus";

const folder = await mkdtemp(join(tmpdir(), "webmoe-rows-"));
await mkdir(join(folder, "parts"));
const file = async (name: string, content: string | Uint8Array) => {
  await writeFile(join(folder, name), content);
  return join(folder, name);
};
const text = async (path: string, options = {}) => new TextDecoder().decode(await readCorpus(path, options));
const parquet = (data: unknown[], name = "text") =>
  new Uint8Array(
    parquetWriteBuffer({
      columnData: [
        { name, data },
        { name: "id", data: data.map((_, i) => i) },
      ],
      rowGroupSize: [2],
    } as never),
  );

test("JSON lines: a document a line, however the lines fall into blocks", async () => {
  const long = "é☃".repeat(200_000);
  const rows = ["one", long, "", "two\nlines", "three"].map((text) => JSON.stringify({ id: 1, text }));
  const path = await file("a.jsonl", `${rows.join("\r\n")}\n\n`);
  expect(await text(path)).toBe(`one\n${long}\ntwo\nlines\nthree\n`);
  expect(await text(await file("b.ndjson.gz", gzipSync(rows.join("\n"))))).toBe(await text(path));
  expect(await text(await file("c.jsonl", '"bare"\n"strings"'))).toBe("bare\nstrings\n");
});

test("CSV and TSV: quotes, line ends in cells, the column asked for", async () => {
  const path = await file("a.csv", '\ufefflabel,body\n1,"He said ""so"",\nand left"\n2,plain\n');
  expect(await text(path, { column: "body" })).toBe('He said "so",\nand left\nplain\n');
  await expect(text(path)).rejects.toThrow(/documents.column.*label, body/);
  await expect(text(path, { column: "bodi" })).rejects.toThrow(/column "bodi".*its columns: label, body/);
  expect(await text(await file("a.tsv", "text\tid\nx, y\t3\n"))).toBe("x, y\n");
});

test("parquet: every group of rows", async () => {
  const rows = ["one", "two", "three ☃", "four", "five"];
  expect(await text(await file("a.parquet", parquet(rows)))).toBe(`${rows.join("\n")}\n`);
  expect(await text(await file("b.parquet", parquet(rows, "story")), { column: "story" })).toBe(`${rows.join("\n")}\n`);
});

test("a pattern reads what it matches, in order", async () => {
  await file("parts/b.txt", "second ");
  await file("parts/a.txt", "first ");
  await file("parts/c.md", "not this");
  expect(await text(join(folder, "parts", "*.txt"))).toBe("first second ");
  await expect(text(join(folder, "parts", "*.parquet"))).rejects.toThrow(/pattern .* matches none/);
});

test("progress counts every byte, and another column is another corpus", async () => {
  const corpus = await openCorpus(join(folder, "a.csv"), { column: "body" });
  let done = 0;
  for await (const _ of corpus.read((bytes) => (done = bytes)));
  expect(done).toBe(corpus.size);
  expect((await openCorpus(join(folder, "a.csv"), { column: "label" })).sources).not.toEqual(corpus.sources);
});

test("broken files are named with the place", async () => {
  await expect(text(await file("x.jsonl", '{"text":"a"}\n{"text":'))).rejects.toThrow(/x\.jsonl:2 has none/);
  await expect(text(await file("y.jsonl", "[1]\n"))).rejects.toThrow(/needs an object.*y\.jsonl:1 has \[1\]/);
  await expect(text(await file("z.jsonl", '{"text":3}\n'))).rejects.toThrow(/column "text".*has 3/);
  await expect(text(await file("x.csv", 'text\n"never closed\n'))).rejects.toThrow(/needs a CSV file.*x\.csv/);
  await expect(text(await file("x.parquet", "PAR1 or not"))).rejects.toThrow(/needs a parquet file.*x\.parquet/);
  const damaged = parquet(["one", "two", "three"]).fill(0xee, 4, 40);
  await expect(text(await file("y.parquet", damaged))).rejects.toThrow(/y\.parquet/);
  await expect(text(await file("x.txt.gz", gzipSync("some text").subarray(0, 12)))).rejects.toThrow(
    /needs a whole gzip file/,
  );
});
