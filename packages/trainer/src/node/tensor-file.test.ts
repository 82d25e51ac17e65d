import { createHash } from "node:crypto";
import { mkdtemp, readFile, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseSafetensors } from "@webmoe/tensor/files";
import { expect, test } from "vitest";
import type { TensorEntry } from "../checkpoint/run-store";
import { readTensors, writeTensors } from "./tensor-file";

const folder = await mkdtemp(join(tmpdir(), "webmoe-tensors-"));
const bytesOf = (values: Float32Array | Uint32Array) => new Uint8Array(values.buffer);
const weights = Float32Array.of(1, -2, 3.5, 0.25, 5, 6);
const entries: TensorEntry[] = [
  { name: "weight", dtype: "F32", shape: [2, 3], data: async () => bytesOf(weights) },
  { name: "applied", dtype: "U32", shape: [1], data: async () => bytesOf(Uint32Array.of(42)) },
];

test("tensors written one after the other are read one at a time", async () => {
  const path = join(folder, "two.safetensors");
  const sha256 = createHash("sha256");
  const written = await writeTensors(path, entries);
  expect(written).toEqual({
    bytes: (await stat(path)).size,
    sha256: sha256.update(await readFile(path)).digest("hex"),
  });
  const reader = await readTensors(path);
  expect(reader.names()).toEqual(["weight", "applied"]);
  expect(reader.shape("weight")).toEqual([2, 3]);
  expect(reader.shape("bias")).toBeUndefined();
  expect(await reader.read("applied")).toEqual(bytesOf(Uint32Array.of(42)));
  expect(await reader.read("weight")).toEqual(bytesOf(weights));
  await expect(reader.read("bias")).rejects.toThrow(/has no tensor "bias"/);
  expect(parseSafetensors(await readFile(path)).get("weight")).toEqual({ shape: [2, 3], values: weights });
});

test("a tensor of another size than its shape is refused", async () => {
  const wrong: TensorEntry = { ...entries[0]!, shape: [7] };
  await expect(writeTensors(join(folder, "wrong.safetensors"), [wrong])).rejects.toThrow(
    /"weight" needs 28 bytes, got 24/,
  );
});

test("cut off, empty and foreign files are refused", async () => {
  const path = join(folder, "cut.safetensors");
  await writeTensors(path, entries);
  await truncate(path, (await stat(path)).size - 1);
  await expect(readTensors(path)).rejects.toThrow(/cut off/);
  await truncate(path, 12);
  await expect(readTensors(path)).rejects.toThrow(/header says/);
  await truncate(path, 0);
  await expect(readTensors(path)).rejects.toThrow(/needs at least 8 bytes, got 0/);
  await writeFile(path, "not a tensor file at all");
  await expect(readTensors(path)).rejects.toThrow(/header says/);
});

test("a file that shrinks after it was opened is noticed", async () => {
  const path = join(folder, "shrinks.safetensors");
  await writeTensors(path, entries);
  const reader = await readTensors(path);
  await truncate(path, (await stat(path)).size - 2);
  await expect(reader.read("applied")).rejects.toThrow(/needs 4 bytes at \d+, and the file ends after 2/);
});
