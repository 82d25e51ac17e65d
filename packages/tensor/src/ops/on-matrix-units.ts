// Ops that have a way of their own on matrix units: operands of their products are rounded to f16, two to a u32. They are loaded
// for such units alone (matrix-units.ts) and are given what they are made of: if they imported it, bundlers would cut it out
// of what every page loads into a file of its own.

import type { MatmulLayout } from "@webmoe/webgpu";
import type { Tensor } from "../tensor";
import type { GruCellInputs } from "./gru";
import type { Operands } from "./matmul";

/** What the ops are made of. */
type Tools = Pick<
  typeof import("@webmoe/webgpu"),
  "matmul" | "matmulSplit" | "matmulSplits" | "productTurns" | "SPLIT_STEP"
> &
  Pick<typeof import("../tensor"), "place" | "rowRange" | "u32" | "withGradient"> &
  Pick<typeof import("./formulas"), "constant"> &
  Pick<typeof import("./gru"), "roundedStates"> &
  Pick<typeof import("./halves"), "halves"> &
  Pick<typeof import("./matmul"), "placeProduct" | "plainProduct" | "productOnto" | "sumOfParts"> &
  Pick<typeof import("./reduce"), "sumOfRows"> & {
    cellKernels: Awaited<ReturnType<typeof import("@webmoe/webgpu").loadGruCell>>;
  };

/** The ops, made of what every page has. */
export function opsOnMatrixUnits({
  cellKernels,
  constant,
  halves,
  matmul,
  matmulSplit,
  matmulSplits,
  place,
  placeProduct,
  plainProduct,
  productOnto,
  productTurns,
  roundedStates,
  rowRange,
  SPLIT_STEP,
  sumOfParts,
  sumOfRows,
  u32,
  withGradient,
}: Tools) {
  /** `projectRows` of rows that are rounded, and whose number is a multiple of SPLIT_STEP. */
  function projectRows(x: Tensor, weight: Tensor): Tensor {
    const xHalves = halves(x);
    const y = plainProduct(x, weight, { transposeB: true });
    return withGradient("projectRows", y, [x, weight], (dy) => [
      productOnto(dy, weight, {}),
      { rows: [halves(dy), xHalves], totals: productsOverHalfRows },
    ]);
  }

  /** `productOverRows` of operands rounded to f16, two to a u32: a [T, M / 2] and b [T, N / 2]. */
  function productOverHalfRows(a: Tensor<"u32">, b: Tensor<"u32">): Tensor {
    const [k, m, n] = [a.shape[0]!, 2 * a.shape[1]!, 2 * b.shape[1]!];
    return placeProduct({ a, b }, [m, n], { batch: 1, m, n, k }, { transposeA: true, transposeB: false, halves: true });
  }

  /**
   * `count` products a_i^T b_i in one kernel and their sums: a [count T, M] holds the a_i under one another, b [count T, N / 2] the
   * b_i rounded to f16, two to a u32.
   */
  function productsOverRows(count: number, a: Tensor, b: Tensor<"u32">): Tensor[] {
    const [k, m, n] = [a.shape[0]! / count, a.shape[1]!, 2 * b.shape[1]!];
    return productsInParts({ count, m, n, k }, { a, b }, "b");
  }

  /** `productsOverRows` of a [count T, M / 2] that are rounded as well. */
  function productsOverHalfRows(count: number, a: Tensor<"u32">, b: Tensor<"u32">): Tensor[] {
    const [k, m, n] = [a.shape[0]! / count, 2 * a.shape[1]!, 2 * b.shape[1]!];
    return productsInParts({ count, m, n, k }, { a, b }, true);
  }

  function productsInParts(
    { count, m, n, k }: Record<"count" | "m" | "n" | "k", number>,
    operands: Operands,
    halves: true | "b",
  ): Tensor[] {
    const layout: MatmulLayout = { transposeA: true, transposeB: false, halves };
    // Beside each other they have the tiles of one product that is so many times as wide.
    let each = matmulSplits({ batch: 1, m, n: count * n, k }, layout, operands.a.trace.target);
    // Parts of equal length, none of which reaches into the next product.
    while (k % (each * SPLIT_STEP) !== 0) each--;
    const splits = count * each;
    const { c } = place(matmulSplit, operands, { splits, m, n, k: count * k }, { c: [splits, m, n] }, layout);
    return Array.from({ length: count }, (_, index) =>
      sumOfParts(rowRange(c, index * each, (index + 1) * each), [m, n]),
    );
  }

  /** One kernel forward and one backward; the operands of both are rounded to f16. */
  function gruCell(inputs: GruCellInputs): Tensor {
    const { x, state, inputWeight, hiddenWeight, inputBias, hiddenBias } = inputs;
    const [rows, width] = [x.shape[0]!, hiddenWeight.shape[1]!];
    const sizes = { rows, width };
    const { CELL_ROWS, gruParameters, gruCellForward, gruCellBackward } = cellKernels;
    const { weights, biases } = place(
      gruParameters,
      { inputWeight, hiddenWeight, inputBias, hiddenBias },
      { width },
      { weights: u32(6 * width, width / 2), biases: [6 * width] },
    );
    const xHalves = halves(x);
    const { next, kept, nextHalves } = place(
      gruCellForward,
      { xHalves, state: state ?? biases, weights, biases },
      { ...sizes, isFirst: state ? 0 : 1 },
      { next: [rows, width], kept: u32(rows, 3 * width), nextHalves: u32(rows, width / 2) },
    );
    roundedStates.set(next, nextHalves);
    const given = [x, inputWeight, hiddenWeight, inputBias, hiddenBias, ...(state ? [state] : [])];
    return withGradient("gruCell", next, given, (dnext) => {
      const { dx, dstate, dinput, dhidden, dbias } = place(gruCellBackward, { kept, dnext, weights }, sizes, {
        dx: x.shape,
        dstate: next.shape,
        dinput: u32(rows, (3 * width) / 2),
        dhidden: u32(rows, (3 * width) / 2),
        dbias: [rows / CELL_ROWS, 6 * width],
      });
      const stateHalves = state && (roundedStates.get(state) ?? halves(state));
      return [
        dx,
        { rows: [dinput, xHalves], total: productOverHalfRows },
        stateHalves
          ? { rows: [dhidden, stateHalves], total: productOverHalfRows }
          : { onto: (base) => base ?? constant(x.trace, hiddenWeight.shape, 0) },
        { rows: [dbias], total: sumOfRows, range: [0, 3 * width] },
        { rows: [dbias], total: sumOfRows, range: [3 * width, 6 * width] },
        dstate,
      ];
    });
  }

  /** `scoreState` of a state that was rounded to `stateHalves`: the gradients of every layer's own gate are one kernel. */
  function scoreState(state: Tensor, stateHalves: Tensor<"u32">, gate: Tensor): Tensor {
    const logits = plainProduct(state, gate, { transposeB: true });
    return withGradient("scoreState", logits, [state, gate], (dlogits) => [
      productOnto(dlogits, gate, {}),
      { rows: [dlogits, stateHalves], totals: productsOverRows },
    ]);
  }

  /**
   * qkv [batch, context, 3, heads, headDim] turned as `rope` does, where a product has just computed it: by a product that turns its
   * results as it stores them. The other is dropped from the program unless something reads it.
   */
  function turnedProduct(qkv: Tensor, base: number): Tensor | undefined {
    const { recording, target } = qkv.trace;
    const [context, headDim] = [qkv.shape[1]!, qkv.shape[4]!];
    const { spec, slices, sizes, options } = recording.dispatches.at(-1)!;
    const { storage, offset, bytes } = qkv.slice;
    const [a, b, c] = slices;
    if (spec !== matmul || c!.storage !== storage || c!.offset !== offset || c!.bytes !== bytes) return undefined;
    const of = sizes as Record<"batch" | "m" | "n" | "k", number>;
    const layout = options as MatmulLayout;
    if (!productTurns(of, layout, headDim, target)) return undefined;
    const turned = qkv.trace.temporary(qkv.shape, "f32", "turned");
    const buffers = { a: a!, b: b!, c: turned.slice };
    recording.dispatch(matmul, buffers, of, { ...layout, turn: { context, headDim, base } });
    return turned;
  }

  return { gruCell, projectRows, scoreState, turnedProduct };
}
