import { expect, test } from "vitest";
import { copy, fill } from "../kernels/elementwise";
import { sumOfSquares } from "../kernels/global-norm";
import { columnSum } from "../kernels/reduce";
import { kernelTargets, serialTarget, testGpu } from "../testing";
import { foldSums } from "./fold-sums";
import { compileProgram } from "./program";
import { Recording, type Slice, type Storage } from "./recording";

const limits = { maxStorageBufferBindingSize: 2 ** 30, maxBufferSize: 2 ** 30 };
const slice = (storage: Storage, offset = 0, bytes = storage.bytes): Slice => ({ storage, offset, bytes });

/** A recording of sums of filled matrices [rows, 64] into ranges of 256 bytes of an arena. */
function start(target = kernelTargets[1]!.target) {
  const recording = new Recording(target, limits);
  const arena = recording.storage("exclusive", 16 * 256, "gradients");
  const parts = (rows: number, value: number) => {
    const storage = recording.storage("temporary", rows * 256, "parts");
    recording.dispatch(fill, { y: slice(storage) }, { items: rows * 64, value }, undefined);
    return storage;
  };
  const sum = (rows: number, place: number, { value = 1, x = parts(rows, value), cols = 64 } = {}) =>
    recording.dispatch(
      columnSum,
      { x: slice(x, 0, rows * cols * 4), y: slice(arena, place * 256, cols * 4) },
      { rows, cols, chunks: 1 },
      undefined,
    );
  const norm = () => {
    const sums = recording.storage("temporary", 256, "sums");
    recording.dispatch(sumOfSquares, { x: slice(arena), sums: slice(sums) }, { items: 1024, chunks: 64 }, undefined);
  };
  const names = (kept: Storage[] = []) =>
    foldSums(recording.dispatches, new Set(kept), target).map(({ kernel }) => kernel.name);
  return { recording, arena, parts, sum, norm, names };
}

test("sums wait for their neighbours until something reads a result", () => {
  const { sum, norm, names } = start();
  sum(3, 0);
  sum(5, 7);
  norm();
  sum(2, 1);
  expect(names()).toEqual(["fill", "fill", "sumParts", "sumOfSquares", "fill", "sumParts"]);
});

test("a sum does not wait where its result is written again", () => {
  const { sum, names } = start();
  sum(3, 0);
  sum(5, 0);
  expect(names()).toEqual(["fill", "fill", "sumParts", "sumParts"]);
});

test("nor where what it sums is used by others", () => {
  const { recording, parts, sum, names } = start();
  const x = parts(4, 1);
  sum(4, 0, { x });
  const other = recording.storage("temporary", x.bytes, "other");
  recording.dispatch(copy, { x: slice(x), y: slice(other) }, { items: 256 }, undefined);
  sum(2, 1);
  expect(names()).toEqual(["fill", "sumParts", "copy", "fill", "sumParts"]);
});

test("sums of parts of one matrix wait for each other", () => {
  const { recording, parts, arena, names } = start();
  const x = parts(6, 1);
  for (const place of [0, 1]) {
    const buffers = { x: slice(x, place * 768, 768), y: slice(arena, place * 256, 256) };
    recording.dispatch(columnSum, buffers, { rows: 3, cols: 64, chunks: 1 }, undefined);
  }
  expect(names()).toEqual(["fill", "sumParts"]);
});

test("at most seven sums share a dispatch", () => {
  const { sum, names } = start();
  for (let place = 0; place < 9; place++) sum(2, place);
  expect(names().filter((name) => name === "sumParts")).toHaveLength(2);
});

test("columns that are no multiple of four, and serial kernels, stay as they are", () => {
  const narrow = start();
  narrow.sum(2, 0, { cols: 63 });
  expect(narrow.names()).toEqual(["fill", "columnSum"]);
  const serial = start(serialTarget);
  serial.sum(2, 0);
  serial.sum(2, 1);
  expect(serial.names()).toEqual(["fill", "columnSum", "fill", "columnSum"]);
});

test("sums land where they landed alone", async () => {
  const gpu = await testGpu();
  const { recording, arena, sum } = start();
  sum(3, 5, { value: 2 });
  sum(40, 1, { value: 0.5 });
  sum(1, 15, { value: 7 });
  const program = await compileProgram(gpu, recording, { label: "sums", outputs: [slice(arena)] });
  const [block] = await (await program.run()).outputs;
  // What the sums are of stays the same, and is filled in once.
  expect(program.stats.dispatches).toBe(1);
  program.close();
  const values = new Float32Array(block!);
  const expected = Array.from({ length: 16 }, (_, place) => ({ 5: 6, 1: 20, 15: 7 })[place] ?? 0);
  expect([...values]).toEqual(expected.flatMap((value) => Array(64).fill(value)));
});
