import { columnRanks as columnRanksKernel, columnsWhere as columnsWhereKernel } from "@webmoe/webgpu";
import { showShape } from "../shape";
import { place, type Tensor, u32, withoutGradient } from "../tensor";

/**
 * The place of each element in its column of `x` [R, C] sorted in descending order, ties to the lower row, from 0; as
 * numbers, [R, C]. The work grows with the square of R.
 */
export function columnRanks(x: Tensor): Tensor {
  const { rank } = place(columnRanksKernel, { x }, matrixSizes("columnRanks", x), { rank: x.shape });
  withoutGradient("columnRanks", [rank], [x]);
  return rank;
}

/** The column of every element of `x` [R, C] that is not 0, and 0xffffffff for those that are: u32 [R, C]. */
export function columnsWhere(x: Tensor): Tensor<"u32"> {
  const sizes = matrixSizes("columnsWhere", x);
  const { index } = place(columnsWhereKernel, { x }, sizes, { index: u32(sizes.rows, sizes.cols) });
  withoutGradient("columnsWhere", [index], [x]);
  return index;
}

function matrixSizes(who: string, { shape }: Tensor): { rows: number; cols: number } {
  if (shape.length !== 2) throw new Error(`${who}: needs x [R, C], got ${showShape(shape)}`);
  return { rows: shape[0]!, cols: shape[1]! };
}
