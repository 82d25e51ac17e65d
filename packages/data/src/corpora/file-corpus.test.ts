import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readCorpus } from "./open-corpus";

const folder = await mkdtemp(join(tmpdir(), "webmoe-data-"));
const file = async (name: string, content: string | Uint8Array) => {
  await mkdir(join(folder, name, ".."), { recursive: true });
  await writeFile(join(folder, name), content);
  return join(folder, name);
};

test("Moby-Dick comes with the package", async () => {
  const bytes = await readCorpus("moby-dick");
  expect(bytes.length).toBe(1_204_997);
  expect(new TextDecoder().decode(bytes)).toContain("Call me Ishmael.");
});

test("a folder is read in the order of its paths", async () => {
  await file("book/b.txt", "second ");
  await file("book/a.md", "first ");
  await file("book/part/c.txt", "third");
  await file("book/ignored.json", "{}");
  await file("book/z.txt/notes.log", "a folder named like a text is none");
  expect(new TextDecoder().decode(await readCorpus(join(folder, "book")))).toBe("first second third");
});

test("a few bytes that are not UTF-8 do not make a text binary", async () => {
  const latin = Uint8Array.from("caf\u00e9 ".repeat(2) + "plain words ".repeat(20), (letter) => letter.charCodeAt(0));
  expect(await readCorpus(await file("latin.txt", latin))).toEqual(latin);
});

test("what is missing, empty, binary or without text is named", async () => {
  await expect(readCorpus(join(folder, "nowhere.txt"))).rejects.toThrow(/there is no ".*nowhere.txt"/);
  await expect(readCorpus(await file("empty.txt", ""))).rejects.toThrow(/empty.txt" is empty/);
  await expect(readCorpus(await file("zeros.bin", new Uint8Array(64)))).rejects.toThrow(/looks binary/);
  await expect(
    readCorpus(
      await file(
        "noise.bin",
        Uint8Array.from({ length: 999 }, (_, i) => 128 + (i % 100)),
      ),
    ),
  ).rejects.toThrow(/looks binary/);
  await expect(readCorpus(await file("late.txt", `${"text ".repeat(20_000)}\0`))).rejects.toThrow(/looks binary/);
  await file("bare/data.json", "{}");
  await expect(readCorpus(join(folder, "bare"))).rejects.toThrow(/has none/);
});
