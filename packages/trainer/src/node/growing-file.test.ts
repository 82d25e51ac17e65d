import { mkdir, mkdtemp, readFile, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { growingFile } from "./growing-file";

const place = async () => join(await mkdtemp(join(tmpdir(), "webmoe-growing-")), "file");
const text = (path: string) => readFile(path, "utf8");

test("parts are there in their order when they are asked for", async () => {
  const path = await place();
  const file = growingFile(path);
  await file.append("a");
  await file.flush();
  expect(await text(path)).toBe("a");
  for (let i = 0; i < 1000; i++) await file.append(i % 2 ? "b" : new TextEncoder().encode("ü"));
  await file.flush();
  expect(await text(path)).toBe(`a${"üb".repeat(500)}`);
  await file.append("c");
  await file.sync();
  expect(await text(path)).toBe(`a${"üb".repeat(500)}c`);
});

test("nobody needs to ask", async () => {
  const path = await place();
  const file = growingFile(path);
  await file.append("a");
  await file.append("b");
  await expect.poll(() => text(path)).toBe("ab");
});

test("a write that failed is told, and nothing is written after the gap", async () => {
  const path = await place();
  const file = growingFile(path);
  await mkdir(path);
  await file.append("a");
  await expect.poll(() => file.append("b").catch(({ code }) => code)).toBe("EISDIR");
  await rmdir(path);
  await expect(file.append("c")).rejects.toThrow(/EISDIR/);
  await expect(file.flush()).rejects.toThrow(/EISDIR/);
  await expect(text(path)).rejects.toThrow(/ENOENT/);
});
