// The kernels that sort assignments by expert, multiply by expert and combine, on one random assignment.

import { describe, expect, test } from "vitest";
import { expectClose, kernelTargets, runKernel, testNumbers } from "../testing";
import { combine, combineBackward, combineWeightGradient, gatherSum } from "./expert-combine";
import {
  expertCount,
  expertNoSource,
  expertSegments,
  expertSlot,
  expertSortSizes,
  expertSource,
  expertTotal,
} from "./expert-sort";
import {
  groupedMatmul,
  groupedMatmulGather,
  groupedWeightGradient,
  groupedWeightGradientGather,
} from "./grouped-matmul";

const NONE = 0xffffffff;
const [topK, dim, out] = [2, 5, 7];

/** Experts of every assignment: expert 1 stays empty, each eleventh assignment goes nowhere. */
function assign(assignments: number, experts: number): Uint32Array {
  const numbers = testNumbers(assignments, 9);
  return Uint32Array.from(numbers, (x, a) => {
    const e = Math.floor(((x + 1) / 2) * experts);
    return a % 11 === 10 ? NONE : e === 1 && experts > 1 ? 0 : e;
  });
}

/** The layout by plain loops: what `groupByExpert` promises. */
function layout(
  expert: Uint32Array,
  experts: number,
  { tile, rows, tiles }: { tile: number; rows: number; tiles: number },
) {
  const slot = new Uint32Array(expert.length).fill(NONE);
  const source = new Uint32Array(rows).fill(NONE);
  const tileExpert = new Uint32Array(tiles).fill(NONE);
  const segments = new Uint32Array(2 * experts);
  let row = 0;
  for (let e = 0; e < experts; e++) {
    segments[2 * e] = row;
    expert.forEach((chosen, a) => {
      if (chosen !== e) return;
      slot[a] = row + segments[2 * e + 1]!;
      source[slot[a]!] = a;
      segments[2 * e + 1]!++;
    });
    for (const end = row + segments[2 * e + 1]!; row < end; row += tile) tileExpert[row / tile] = e;
  }
  return { slot, source, tileExpert, segments };
}

describe.each(kernelTargets.slice(0, 2))("expert kernels, $name", ({ name, target }) => {
  const shapes = [
    [1, 1],
    [9, 4],
    [35, 3],
    [100, 5],
  ] as const;
  test.each(shapes)("sorting the assignments of %i tokens among %i experts", async (tokens, experts) => {
    const expert = assign(tokens * topK, experts);
    const sizes = expertSortSizes(expert.length, experts, target);
    const { assignments, chunks, tiles, tile, rows } = sizes;
    const expected = layout(expert, experts, sizes);

    const counted = await runKernel(
      target,
      expertCount,
      { expert, counts: chunks * experts, rank: new Uint32Array(assignments) },
      { assignments, experts, chunks },
    );
    const totals = await runKernel(
      target,
      expertTotal,
      { counts: counted.u32("counts"), total: experts },
      { experts, chunks },
    );
    const found = await runKernel(
      target,
      expertSegments,
      { total: totals.u32("total"), segments: 2 * experts, tileExpert: tiles, load: experts },
      { experts, tiles, tile },
    );
    expect(found.u32("segments")).toEqual(expected.segments);
    expect(found.u32("tileExpert")).toEqual(expected.tileExpert);
    expect([...found.load]).toEqual([...expected.segments].filter((_, i) => i % 2 === 1));
    const placed = await runKernel(
      target,
      expertSlot,
      {
        expert,
        counts: totals.u32("counts"),
        rank: counted.u32("rank"),
        segments: found.u32("segments"),
        slot: assignments,
      },
      { assignments, experts },
    );
    expect(placed.u32("slot")).toEqual(expected.slot);
    const none = await runKernel(target, expertNoSource, { source: rows }, { rows });
    const back = await runKernel(
      target,
      expertSource,
      { slot: placed.u32("slot"), source: none.u32("source") },
      { assignments },
    );
    expect(back.u32("source")).toEqual(expected.source);
  });

  // Compiling tiles takes software adapters seconds a shape.
  test.each(name === "serial" ? shapes : shapes.slice(2, 3))(
    "products of %i tokens, %i experts",
    async (tokens, experts) => {
      const expert = assign(tokens * topK, experts);
      const { rows, ...sorted } = expertSortSizes(expert.length, experts, target);
      const { source, tileExpert, segments } = layout(expert, experts, { rows, ...sorted });
      const token = Uint32Array.from(expert, (_, a) => Math.floor(a / topK));
      const [x, weight] = [testNumbers(tokens * dim), testNumbers(experts * out * dim, 2)];
      const dy = new Float32Array(rows * out);
      const [gathered, y, dx, dweight] = [rows * dim, rows * out, rows * dim, experts * out * dim].map(
        (size) => new Float32Array(size),
      ) as [Float32Array, Float32Array, Float32Array, Float32Array];
      testNumbers(rows * out, 3).forEach((value, i) => {
        if (source[Math.floor(i / out)] !== NONE) dy[i] = value;
      });
      source.forEach((a, p) => {
        if (a === NONE) return;
        for (let i = 0; i < dim; i++) {
          gathered[p * dim + i] = x[token[a]! * dim + i]!;
          for (let o = 0; o < out; o++) {
            const w = (expert[a]! * out + o) * dim + i;
            y[p * out + o]! += weight[w]! * x[token[a]! * dim + i]!;
            dx[p * dim + i]! += weight[w]! * dy[p * out + o]!;
            dweight[w]! += dy[p * out + o]! * x[token[a]! * dim + i]!;
          }
        }
      });
      const sizes = { rows, out, in: dim, experts };
      /** Tiles past the last expert's are not written. */
      const written = (values: Float32Array, cols: number) =>
        values.filter((_, i) => tileExpert[Math.floor(i / cols / sorted.tile)] !== NONE);
      const common = { weight, tileExpert, source };
      const forward = { direction: "forward" as const };

      const direct = await runKernel(target, groupedMatmul, { ...common, a: gathered, y: y.length }, sizes, forward);
      expectClose(written(direct.y, out), written(y, out));
      const viaToken = await runKernel(
        target,
        groupedMatmulGather,
        { ...common, token, a: x, y: y.length },
        sizes,
        forward,
      );
      expectClose(written(viaToken.y, out), written(y, out));
      const backward = await runKernel(target, groupedMatmul, { ...common, a: dy, y: dx.length }, sizes, {
        direction: "backward",
      });
      expectClose(written(backward.y, dim), written(dx, dim));
      const gradient = { dy, segments, dweight: dweight.length };
      const ofRows = await runKernel(target, groupedWeightGradient, { ...gradient, a: gathered }, sizes);
      expectClose(ofRows.dweight, dweight);
      const ofTokens = await runKernel(
        target,
        groupedWeightGradientGather,
        { ...gradient, source, token, a: x },
        sizes,
      );
      expectClose(ofTokens.dweight, dweight);
    },
  );

  test("combining rows, and its gradients", async () => {
    const [tokens, experts] = [35, 3];
    const expert = assign(tokens * topK, experts);
    const { rows, ...sorted } = expertSortSizes(expert.length, experts, target);
    const { slot, source } = layout(expert, experts, { rows, ...sorted });
    const token = Uint32Array.from(expert, (_, a) => Math.floor(a / topK));
    const [y, weight, dout] = [testNumbers(rows * dim), testNumbers(expert.length, 2), testNumbers(tokens * dim, 3)];
    const [combined, gathered, dy] = [tokens * dim, tokens * dim, rows * dim].map((size) => new Float32Array(size));
    const dweight = new Float32Array(expert.length);
    slot.forEach((p, a) => {
      if (p === NONE) return;
      for (let d = 0; d < dim; d++) {
        const at = token[a]! * dim + d;
        combined![at]! += weight[a]! * y[p * dim + d]!;
        gathered![at]! += y[p * dim + d]!;
        dy![p * dim + d] = weight[a]! * dout[at]!;
        dweight[a]! += dout[at]! * y[p * dim + d]!;
      }
    });
    const sizes = { tokens, topK, dim };
    expectClose((await runKernel(target, combine, { y, slot, weight, out: tokens * dim }, sizes)).out, combined!);
    expectClose((await runKernel(target, gatherSum, { y, slot, out: tokens * dim }, sizes)).out, gathered!);
    const given = { dout, source, token, weight, dy: rows * dim };
    expectClose((await runKernel(target, combineBackward, given, { rows, dim })).dy, dy!);
    const forWeight = { dout, y, slot, token, dweight: expert.length };
    const assignments = expert.length;
    expectClose((await runKernel(target, combineWeightGradient, forWeight, { assignments, dim })).dweight, dweight);
  });
});
