import { loadGruCell, matmul, matmulSplit, matmulSplits, productTurns, Shelf, SPLIT_STEP } from "@webmoe/webgpu";
import { place, rowRange, u32, withGradient } from "../tensor";
import { constant } from "./formulas";
import { roundedStates } from "./gru";
import { halves } from "./halves";
import { placeProduct, plainProduct, productOnto, sumOfParts } from "./matmul";
import { sumOfRows } from "./reduce";

const shelf = new Shelf(async () =>
  (await import("./on-matrix-units")).opsOnMatrixUnits({
    constant,
    cellKernels: await loadGruCell(),
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
  }),
);

/** Ops as matrix units compute them; where they are not loaded `withKernels` does. */
export const matrixUnits = () => shelf.take();
