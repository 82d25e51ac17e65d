import { describe, expect, test } from "vitest";
import { compileProgram } from "../program/program";
import { Recording, type Slice, type Storage } from "../program/recording";
import {
  checkMatrixShader,
  expectClose,
  halfNumbers,
  matrixTarget,
  packedHalves,
  runKernel,
  testGpu,
  testNumbers,
  unpackedHalves,
} from "../testing";
import {
  groupedMatmul,
  groupedMatmulGather,
  groupedWeightGradient,
  groupedWeightGradientGather,
} from "./grouped-matmul";
import { type MatmulLayout, matmul, matmulAccumulate, matmulAdd, matmulSplit, productTurns } from "./matmul";
import { matrixTile } from "./matrix-shape";
import { packHalves } from "./pack-halves";
import { rope } from "./rope";
import { tileOfHalves } from "./tile-of-halves";

const layouts = [
  { transposeA: false, transposeB: false },
  { transposeA: false, transposeB: true },
  { transposeA: true, transposeB: false },
];
const { matrixUnits } = (await testGpu()).target;

/** The product of matrices whose elements were rounded to f16. */
function product(a: Float32Array, b: Float32Array, m: number, n: number, k: number, layout: (typeof layouts)[number]) {
  return Float32Array.from({ length: m * n }, (_, at) => {
    const [i, j] = [Math.floor(at / n), at % n];
    let sum = 0;
    for (let l = 0; l < k; l++) {
      sum += a[layout.transposeA ? l * m + i : i * k + l]! * b[layout.transposeB ? j * k + l : l * n + j]!;
    }
    return sum;
  });
}

/** A product that nothing reads but `packHalves`, so that it is stored rounded. */
async function roundedProduct(
  given: { a: Float32Array; b: Float32Array },
  sizes: Record<"batch" | "m" | "n" | "k", number>,
  layout: MatmulLayout,
) {
  const gpu = await testGpu();
  const recording = new Recording(matrixTarget, gpu.limits);
  const whole = (storage: Storage): Slice => ({ storage, offset: 0, bytes: storage.bytes });
  const bytes = 4 * sizes.m * sizes.n;
  const joined = new Float32Array(given.a.length + given.b.length);
  joined.set(given.a);
  joined.set(given.b, given.a.length);
  const inputs = recording.storage("inputs", joined.byteLength, "inputs");
  const a = { storage: inputs, offset: 0, bytes: given.a.byteLength };
  const b = { storage: inputs, offset: a.bytes, bytes: given.b.byteLength };
  const c = whole(recording.storage("temporary", bytes, "c"));
  const y = whole(recording.storage("temporary", bytes / 2, "y"));
  recording.dispatch(matmul, { a, b, c }, sizes, layout);
  recording.dispatch(packHalves, { x: c, y }, { items: bytes / 8 }, undefined);
  const program = await compileProgram(gpu, recording, { label: "rounded", inputs, outputs: [y] });
  expect(program.stats.dispatches).toBe(1);
  const [packed] = await (await program.run(joined.buffer)).outputs;
  program.close();
  return unpackedHalves(new Uint32Array(packed!));
}

describe("rows turned as they are stored", () => {
  const layout = { transposeA: false, transposeB: true };

  test.each([
    { tokens: 130, context: 40, heads: 2, headDim: 32 },
    { tokens: 2056, context: 257, heads: 6, headDim: 64 },
    { tokens: 2048, context: 1024, heads: 12, headDim: 32 },
  ])(
    "$tokens tokens in sequences of $context, $heads heads of $headDim",
    async ({ tokens, context, heads, headDim }) => {
      const sizes = { batch: 1, m: tokens, n: 3 * heads * headDim, k: 64 };
      const turn = { context, headDim, base: 100 };
      expect(productTurns(sizes, layout, headDim, matrixTarget)).toBe(true);
      for (const halves of [false, true]) {
        await checkMatrixShader(matmul, sizes, { ...layout, halves, turn });
        await checkMatrixShader(matmul, sizes, { ...layout, halves, turn }, { c: "instead" });
      }
      if (!matrixUnits) return;
      const [a, b, c] = [testNumbers(tokens * 64), testNumbers(sizes.n * 64, 2), tokens * sizes.n];
      const plain = await runKernel(matrixTarget, matmul, { a, b, c }, sizes, layout);
      const turning = { tokens, context, heads, headDim, base: turn.base, direction: 1 };
      const expected = await runKernel(matrixTarget, rope, { x: plain.c, y: c }, turning);
      const turned = await runKernel(matrixTarget, matmul, { a, b, c }, sizes, { ...layout, turn });
      expectClose(turned.c, expected.y, 1e-4);
      expectClose(await roundedProduct({ a, b }, sizes, { ...layout, turn }), expected.y, 2 ** -10);
    },
  );

  test("but not where a subgroup has half a head, or with fewer sizes than matrix units take", () => {
    const sizes = { batch: 1, m: 4096, n: 384, k: 128 };
    expect(productTurns(sizes, layout, 64, matrixTarget)).toBe(false);
    expect(productTurns({ ...sizes, n: 1536 }, layout, 128, matrixTarget)).toBe(false);
    expect(productTurns({ ...sizes, m: 1 }, layout, 32, matrixTarget)).toBe(false);
    expect(productTurns(sizes, layout, 32, { ...matrixTarget, precision: "f32" })).toBe(false);
  });
});

describe.each(layouts)("transposeA $transposeA, transposeB $transposeB", (layout) => {
  test.each([
    [64, 64, 32],
    [128, 384, 96],
    [72, 40, 64],
    [264, 520, 32],
    [64, 64, 8],
    [136, 72, 264],
    [136, 16, 128],
    [24, 264, 64],
  ])("m %i, n %i, k %i", async (m, n, k) => {
    await checkMatrixShader(matmul, { batch: 2, m, n, k }, layout);
    await checkMatrixShader(matmulAccumulate, { batch: 1, m, n, k }, layout);
    await checkMatrixShader(matmulAdd, { batch: 1, m, n, k }, layout);
    await checkMatrixShader(matmul, { batch: 2, m, n, k }, { ...layout, halves: true });
    if (!matrixUnits) return;
    const [a, b, c] = [halfNumbers(2 * m * k), halfNumbers(2 * k * n, 2), halfNumbers(m * n, 3)];
    const result = await runKernel(matrixTarget, matmul, { a, b, c: 2 * m * n }, { batch: 2, m, n, k }, layout);
    expectClose(result.c.subarray(0, m * n), product(a, b, m, n, k, layout));
    expectClose(result.c.subarray(m * n), product(a.subarray(m * k), b.subarray(k * n), m, n, k, layout));
    const packed = { a: await packedHalves(a), b: await packedHalves(b), c: 2 * m * n };
    const same = await runKernel(matrixTarget, matmul, packed, { batch: 2, m, n, k }, { ...layout, halves: true });
    expect(same.c).toEqual(result.c);
    const added = { a, b, base: c, c: m * n };
    const sum = await runKernel(matrixTarget, matmulAccumulate, { a, b, c }, { batch: 1, m, n, k }, layout);
    expect((await runKernel(matrixTarget, matmulAdd, added, { batch: 1, m, n, k }, layout)).c).toEqual(sum.c);
    expectClose(
      sum.c,
      product(a, b, m, n, k, layout).map((value, i) => value + c[i]!),
    );
  });

  // Ranges of 64, 64 and 32; of 64, 64 and 8; three of 64.
  test.each([
    [64, 160],
    [64, 136],
    [16, 192],
  ])("split sums of %i rows and %i terms", async (m, k) => {
    const [splits, n] = [3, 128];
    await checkMatrixShader(matmulSplit, { splits, m, n, k }, layout);
    await checkMatrixShader(matmulSplit, { splits, m, n, k }, { ...layout, halves: "b" });
    if (!matrixUnits) return;
    const [a, b] = [halfNumbers(m * k), halfNumbers(k * n, 2)];
    const parts = await runKernel(matrixTarget, matmulSplit, { a, b, c: splits * m * n }, { splits, m, n, k }, layout);
    const packed = { a, b: await packedHalves(b), c: splits * m * n };
    const mixed = { ...layout, halves: "b" as const };
    const same = await runKernel(matrixTarget, matmulSplit, packed, { splits, m, n, k }, mixed);
    expect(same.c).toEqual(parts.c);
    const total = product(a, b, m, n, k, layout).map((_, i) =>
      [0, 1, 2].reduce((sum, s) => sum + parts.c[s * m * n + i]!, 0),
    );
    expectClose(total, product(a, b, m, n, k, layout));
  });
});

// As where c is rounded to f16 alone, but in f32.
const byEights: typeof matmul = {
  ...matmul,
  source: (sizes, target, layout) => matmul.source(sizes, target, layout, { c: "instead" }),
};

// Enough tiles for those of 128 x 256, of 128 x 192, and for two stages of those of 128 x 128; the last row of tiles is not full.
test.each([
  ["wide", matmul, layouts[0]!, 15240, 256, 512],
  ["wide", byEights, layouts[0]!, 15240, 256, 512],
  ["wide", byEights, layouts[1]!, 15240, 256, 544],
  ["medium", matmul, layouts[0]!, 5300, 576, 96],
  ["medium", byEights, layouts[0]!, 5300, 576, 40],
  ["staged", matmul, layouts[2]!, 2120, 2056, 96],
  ["staged", matmul, layouts[2]!, 2120, 2056, 32],
] as const)("%s tiles, %#: m %i, n %i, k %i", async (_, subject, layout, m, n, k) => {
  const halves = { ...layout, halves: true };
  const sizes = { batch: 1, m, n, k };
  await checkMatrixShader(subject, sizes, halves);
  for (const c of ["besides", "instead"] as const) await checkMatrixShader(matmul, sizes, halves, { c });
  await checkMatrixShader(matmulAccumulate, sizes, halves);
  if (!matrixUnits) return;
  const [a, b] = [halfNumbers(m * k), halfNumbers(k * n, 2)];
  const result = await runKernel(
    matrixTarget,
    subject,
    { a: await packedHalves(a), b: await packedHalves(b), c: m * n },
    sizes,
    halves,
  );
  expectClose(result.c, product(a, b, m, n, k, layout));
});

test("tiles are chosen by how they fill a large device", () => {
  const form = { transposeA: false, transposeB: false, resultHalves: false, whole: true, memory: 49152 };
  const columns = (m: number, n: number, k: number, products = 1, more = {}) => {
    const tile = tileOfHalves({ m, n, k }, { ...form, ...more }, products);
    return `${tile.columns} in ${tile.stages}`;
  };
  expect(columns(8192, 512, 512)).toBe("256 in 2");
  expect(columns(8192, 512, 1536)).toBe("128 in 1");
  expect(columns(8192, 512, 1536, 1, { resultHalves: true })).toBe("256 in 2");
  expect(columns(8192, 512, 512, 1, { transposeB: true })).toBe("128 in 1");
  expect(matrixTile({ m: 8192, n: 512 }, 1).columns).toBe(128);
  expect(columns(8192, 768, 2304)).toBe("192 in 1");
  expect(columns(8192, 768, 2304, 1, { memory: 32768 })).toBe("128 in 1");
  expect(columns(2048, 768, 16000, 2)).toBe("192 in 1");
  expect(columns(32000, 768, 2048, 1, { transposeA: true })).toBe("128 in 2");
  expect(columns(512, 512, 512, 16, { transposeA: true })).toBe("128 in 2");
  expect(columns(512, 512, 512, 16, { transposeA: true, whole: false })).toBe("128 in 1");
  expect(columns(128, 512, 1024, 64, { transposeA: true })).toBe("128 in 1");
  expect(columns(2048, 512, 512)).toBe("64 in 1");
});

test("parts of a weight's gradient in two stages", async () => {
  const [splits, m, n, k] = [9, 512, 512, 9 * 512];
  const layout = { transposeA: true, transposeB: false };
  await checkMatrixShader(matmulSplit, { splits, m, n, k }, { ...layout, halves: true });
  if (!matrixUnits) return;
  const [a, b] = [halfNumbers(k * m), halfNumbers(k * n, 2)];
  const packed = { a: await packedHalves(a), b: await packedHalves(b), c: splits * m * n };
  const { c } = await runKernel(matrixTarget, matmulSplit, packed, { splits, m, n, k }, { ...layout, halves: true });
  for (const part of [0, 5, 8]) {
    for (const [i, j] of [
      [0, 0],
      [131, 77],
      [511, 511],
      [64, 500],
    ] as const) {
      let sum = 0;
      for (let l = part * 512; l < (part + 1) * 512; l++) sum += a[l * m + i]! * b[l * n + j]!;
      expectClose([c[(part * m + i) * n + j]!], [sum]);
    }
  }
});

test("two parts of a long sum that fill tiles of 128 x 256", async () => {
  const [splits, m, n, k] = [2, 8192, 256, 1024];
  const layout = { transposeA: false, transposeB: false };
  await checkMatrixShader(matmulSplit, { splits, m, n, k }, { ...layout, halves: true });
  if (!matrixUnits) return;
  const [a, b] = [halfNumbers(m * k), halfNumbers(k * n, 2)];
  const packed = { a: await packedHalves(a), b: await packedHalves(b), c: splits * m * n };
  const { c } = await runKernel(matrixTarget, matmulSplit, packed, { splits, m, n, k }, { ...layout, halves: true });
  expectClose(
    c.subarray(0, m * n).map((first, i) => first + c[m * n + i]!),
    product(a, b, m, n, k, layout),
  );
});

describe.each([
  [96, 64],
  [104, 72],
])("experts of %i x %i", (out, inner) => {
  // Expert 0 has 130 rows in two tiles of 128, expert 1 none, expert 2 has 5.
  const [experts, rows, tokens] = [3, 512, 40];
  const sizes = { rows, out, in: inner, experts };
  const NONE = 0xffffffff;
  const counts = [130, 0, 5];
  const firsts = [0, 256, 256];
  const source = new Uint32Array(rows).fill(NONE);
  for (let i = 0; i < 130; i++) source[i] = i;
  for (let i = 0; i < 5; i++) source[256 + i] = 130 + i;
  const rowToken = source.map((a) => (a === NONE ? 0 : (a * 7) % tokens));
  const tileExpert = Uint32Array.of(0, 0, 2, NONE);
  const whole = { spares: 0, parts: Uint32Array.from(counts.flatMap((count, e) => [firsts[e]!, count, e, NONE])) };
  // Expert 0 in two parts, and room for one more than there are.
  const cut = {
    spares: 2,
    parts: Uint32Array.from(
      [[0, 128, 0, 0], [256, 5, 2, NONE], [128, 2, 0, NONE], [256, 0, 1, NONE], Array(4).fill(NONE)].flat(),
    ),
  };
  const weight = halfNumbers(experts * out * inner);
  const x = halfNumbers(tokens * inner, 2);
  const gatheredRows = Float32Array.from({ length: rows * inner }, (_, i) => {
    const a = source[Math.floor(i / inner)]!;
    return a === NONE ? 0 : x[rowToken[Math.floor(i / inner)]! * inner + (i % inner)]!;
  });
  const dy = halfNumbers(rows * out, 3).map((value, i) => (source[Math.floor(i / out)] === NONE ? 0 : value));
  const expertOf = (p: number) => tileExpert[Math.floor(p / 128)]!;

  test("rows by weights, forward and backward, read directly or gathered", async () => {
    for (const direction of ["forward", "backward"] as const) {
      await checkMatrixShader(groupedMatmul, sizes, { direction });
      await checkMatrixShader(groupedMatmulGather, sizes, { direction, halves: true });
      await checkMatrixShader(groupedMatmulGather, sizes, { direction });
    }
    if (!matrixUnits) return;
    const given = { weight, tileExpert };
    const forward = await runKernel(matrixTarget, groupedMatmul, { ...given, a: gatheredRows, y: rows * out }, sizes, {
      direction: "forward",
    });
    const gather = await runKernel(
      matrixTarget,
      groupedMatmulGather,
      { ...given, a: x, rowToken, y: rows * out },
      sizes,
      {
        direction: "forward",
      },
    );
    const backward = await runKernel(matrixTarget, groupedMatmul, { ...given, a: dy, y: rows * inner }, sizes, {
      direction: "backward",
    });
    const packed = {
      weight: await packedHalves(weight),
      tileExpert,
      a: await packedHalves(x),
      rowToken,
      y: rows * out,
    };
    const halves = await runKernel(matrixTarget, groupedMatmulGather, packed, sizes, {
      direction: "forward",
      halves: true,
    });
    expectClose(
      halves.y.filter((_, i) => source[Math.floor(i / out)] !== NONE),
      gather.y.filter((_, i) => source[Math.floor(i / out)] !== NONE),
    );
    source.forEach((a, p) => {
      if (a === NONE) return;
      const e = expertOf(p);
      for (let o = 0; o < out; o++) {
        let sum = 0;
        for (let i = 0; i < inner; i++) sum += weight[(e * out + o) * inner + i]! * gatheredRows[p * inner + i]!;
        expectClose([forward.y[p * out + o]!, gather.y[p * out + o]!], [sum, sum]);
      }
      for (let i = 0; i < inner; i++) {
        let sum = 0;
        for (let o = 0; o < out; o++) sum += weight[(e * out + o) * inner + i]! * dy[p * out + o]!;
        expectClose([backward.y[p * inner + i]!], [sum]);
      }
    });
    expect(forward.y.subarray(0, 3 * 128 * out).every(Number.isFinite)).toBe(true);
  });

  test.each([whole, cut])("gradients of the weights, $spares spare sums at most", async ({ spares, parts }) => {
    const own = { ...sizes, spares };
    await checkMatrixShader(groupedWeightGradient, own, {});
    await checkMatrixShader(groupedWeightGradientGather, own, {});
    await checkMatrixShader(groupedWeightGradientGather, own, { halves: true });
    if (!matrixUnits) return;
    const expected = new Float32Array(experts * out * inner);
    source.forEach((a, p) => {
      if (a === NONE) return;
      for (let o = 0; o < out; o++) {
        for (let i = 0; i < inner; i++) {
          expected[(expertOf(p) * out + o) * inner + i]! += dy[p * out + o]! * gatheredRows[p * inner + i]!;
        }
      }
    });
    const given = { dy, parts, dweight: experts * out * inner, spare: spares * out * inner };
    const packed = { ...given, dy: await packedHalves(dy), rowToken, a: await packedHalves(x) };
    const results = [
      await runKernel(matrixTarget, groupedWeightGradient, { ...given, a: gatheredRows }, own),
      await runKernel(matrixTarget, groupedWeightGradientGather, { ...given, a: x, rowToken }, own),
      await runKernel(matrixTarget, groupedWeightGradientGather, packed, own, { halves: true }),
    ];
    for (const { dweight, spare } of results) {
      // The one spare sum there is belongs to expert 0; nothing writes the other.
      const added = dweight.map((value, i) => value + (spares > 0 && i < out * inner ? spare[i]! : 0));
      expectClose(added, expected);
      if (spares > 0) expect(spare.subarray(out * inner).every(Number.isNaN)).toBe(true);
    }
  });
});
