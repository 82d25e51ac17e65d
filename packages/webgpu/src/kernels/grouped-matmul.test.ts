import { describe, test } from "vitest";
import type { KernelTarget } from "../kernel";
import { expectClose, kernelTargets, runKernel, testNumbers } from "../testing";
import { addSpares } from "./add-spares";
import { expertSortSizes } from "./expert-sort";
import { sortByLoop } from "./expert-sort-by-loop";
import {
  groupedMatmul,
  groupedMatmulGather,
  groupedWeightGradient,
  groupedWeightGradientGather,
  rowTile,
} from "./grouped-matmul";

const none = 0xffffffff;
const tiled = kernelTargets[1]!.target;

interface Case {
  name: string;
  tokens: number;
  topK: number;
  experts: number;
  out: number;
  inner: number;
  expertOf(a: number): number;
}

const cases: Case[] = [
  { name: "one token, one expert, 1 x 1", tokens: 1, topK: 1, experts: 1, out: 1, inner: 1, expertOf: () => 0 },
  { name: "odd sizes", tokens: 21, topK: 2, experts: 5, out: 7, inner: 3, expertOf: (a) => (a * 7) % 5 },
  { name: "empty experts", tokens: 33, topK: 1, experts: 6, out: 5, inner: 18, expertOf: (a) => 1 + 3 * (a % 2) },
  { name: "all on one", tokens: 75, topK: 2, experts: 3, out: 9, inner: 65, expertOf: () => 1 },
  { name: "tiles that divide", tokens: 128, topK: 1, experts: 2, out: 64, inner: 32, expertOf: (a) => a % 2 },
  { name: "past several tiles", tokens: 70, topK: 2, experts: 2, out: 70, inner: 130, expertOf: (a) => a & 1 },
  { name: "by vectors", tokens: 90, topK: 2, experts: 3, out: 48, inner: 80, expertOf: (a) => (a * 3) % 4 },
  { name: "some without expert", tokens: 30, topK: 2, experts: 4, out: 6, inner: 10, expertOf: (a) => a % 5 },
];

describe.each(kernelTargets)("grouped matmul, $name", ({ target }) => {
  test.each(cases)("$name", async ({ tokens, topK, experts, out, inner, expertOf }) => {
    const assignments = tokens * topK;
    const expert = Uint32Array.from({ length: assignments }, (_, a) => (expertOf(a) < experts ? expertOf(a) : none));
    const sortSizes = expertSortSizes(assignments, experts, target);
    const { rows, tile } = sortSizes;
    const { source, rowToken, tileExpert } = sortByLoop(expert, experts, sortSizes, topK);
    const sizes = { rows, out, in: inner, experts };
    const x = testNumbers(tokens * inner);
    const weight = testNumbers(experts * out * inner, 2);
    // Gradients of padding are zero, as `combineBackward` writes them.
    const dy = testNumbers(rows * out, 3).map((value, i) => (source[Math.floor(i / out)] === none ? 0 : value));
    const padded = gatherRows(x, inner, source, rowToken);

    // Loops over rows: NaN in padding, and past the end where nothing is written.
    const y = new Float32Array(rows * out).fill(Number.NaN);
    const dx = new Float32Array(rows * inner).fill(Number.NaN);
    const dweight = new Float32Array(experts * out * inner);
    for (let p = 0; p < rows; p++) {
      const e = tileExpert[Math.floor(p / tile)]!;
      if (source[p] === none) continue;
      y.fill(0, p * out, (p + 1) * out);
      dx.fill(0, p * inner, (p + 1) * inner);
      for (let o = 0; o < out; o++) {
        for (let i = 0; i < inner; i++) {
          const w = (e * out + o) * inner + i;
          y[p * out + o]! += weight[w]! * padded[p * inner + i]!;
          dx[p * inner + i]! += weight[w]! * dy[p * out + o]!;
          dweight[w]! += dy[p * out + o]! * padded[p * inner + i]!;
        }
      }
    }

    const groups = { weight, tileExpert };
    const forward = { direction: "forward" as const };
    const backward = { direction: "backward" as const };
    expectSame((await runKernel(target, groupedMatmul, { a: padded, ...groups, y: y.length }, sizes, forward)).y, y);
    expectSame(
      (await runKernel(target, groupedMatmulGather, { a: x, ...groups, rowToken, y: y.length }, sizes, forward)).y,
      y,
    );
    expectSame((await runKernel(target, groupedMatmul, { a: dy, ...groups, y: dx.length }, sizes, backward)).y, dx);
    // Whole, as these few rows are by themselves, and in parts of one tile, with room for one part that is not needed.
    for (const cut of [{}, { most: tile, spares: Math.floor(assignments / tile) + 1 }]) {
      const { parts, spares } = {
        ...sortByLoop(expert, experts, { ...sortSizes, ...cut }, topK),
        ...sortSizes,
        ...cut,
      };
      const made = { dy, parts, dweight: dweight.length, spare: spares * out * inner };
      const direct = await runKernel(target, groupedWeightGradient, { a: padded, ...made }, { ...sizes, spares });
      expectClose(await withSpares(target, direct, { ...sizes, spares }), dweight);
      const given = { a: x, ...made, rowToken };
      const gathered = await runKernel(target, groupedWeightGradientGather, given, { ...sizes, spares });
      expectClose(await withSpares(target, gathered, { ...sizes, spares }), dweight);
    }
  });
});

test("gradients of so many experts that tiles are large", async () => {
  const [experts, out, inner, tile] = [512, 36, 40, rowTile(tiled)];
  const rows = experts * tile;
  // Every expert has one row, its first.
  const only = (p: number, cols: number) => Math.floor(p / cols) % tile === 0;
  const a = testNumbers(rows * inner, 4);
  const dy = testNumbers(rows * out, 5).map((value, i) => (only(i, out) ? value : 0));
  const parts = Uint32Array.from(Array.from({ length: experts }, (_, e) => [e * tile, tile, e, none]).flat());
  const dweight = Float32Array.from({ length: experts * out * inner }, (_, i) => {
    const row = Math.floor(i / (out * inner)) * tile;
    return dy[row * out + (Math.floor(i / inner) % out)]! * a[row * inner + (i % inner)]!;
  });
  const given = { a, dy, parts, dweight: dweight.length, spare: 0 };
  const made = await runKernel(tiled, groupedWeightGradient, given, { rows, out, in: inner, experts, spares: 0 });
  expectClose(made.dweight, dweight);
});

/** A weight's gradient with its spare sums added; no spare sum that nothing wrote, NaN, may be among them. */
async function withSpares(
  target: KernelTarget,
  { parts, dweight, spare }: Record<"parts" | "dweight" | "spare", Float32Array>,
  { out, in: inner, spares }: { out: number; in: number; spares: number },
): Promise<Float32Array> {
  if (spares === 0) return dweight;
  const given = { parts0: new Uint32Array(parts.buffer), dweight0: dweight, spare0: spare };
  return (await runKernel(target, addSpares, given, { width0: out * inner, spares0: spares })).dweight0;
}

/** The token's row for each padded row; rows of padding hold a value that must not reach any result. */
function gatherRows(x: Float32Array, cols: number, source: Uint32Array, rowToken: Uint32Array): Float32Array {
  const padded = new Float32Array(source.length * cols).fill(1e9);
  source.forEach((a, p) => {
    if (a !== none) padded.set(x.subarray(rowToken[p]! * cols, (rowToken[p]! + 1) * cols), p * cols);
  });
  return padded;
}

/** As `expectClose`, but for what is expected to be NaN, which may be anything. */
function expectSame(actual: Float32Array, expected: Float32Array): void {
  const counts = (_: number, i: number) => !Number.isNaN(expected[i]);
  expectClose(actual.filter(counts), expected.filter(counts));
}
