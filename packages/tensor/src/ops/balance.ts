import { balance as balanceKernel, columnSum, columnSumChunks, Expression } from "@webmoe/webgpu";
import { showShape } from "../shape";
import { place, reshape, type Tensor, withGradient } from "../tensor";
import { placeFormulas } from "./formulas";

/**
 * E * sum_e f_e p_e: how unevenly load spreads (Fedus et al. 2021, eq. 4). f_e is expert e's share of `load` [E], p_e the sum
 * of its `probabilities` [T, E] divided by `tokens`, a scalar. A scalar; only the probabilities get a gradient.
 */
export function balance(probabilities: Tensor, load: Tensor, tokens: Tensor): Tensor {
  const [rows, experts] = probabilities.shape as [number, number];
  if (probabilities.shape.length !== 2 || load.size !== experts || tokens.size !== 1) {
    throw new Error(
      `balance: needs probabilities [T, E], load [E] and a scalar, got ${showShape(probabilities.shape)}, ` +
        `${showShape(load.shape)} and ${showShape(tokens.shape)}`,
    );
  }
  const chunks = columnSumChunks({ rows, cols: experts }, probabilities.trace.target);
  const summed = { rows, cols: experts, chunks };
  const sums = place(columnSum, { x: probabilities }, summed, { y: [chunks, experts] }).y;
  const { loss, slope } = place(
    balanceKernel,
    { sums, load, tokens },
    { experts, chunks },
    { loss: [], slope: [1, experts] },
  );
  return withGradient("balance", loss, [probabilities], (dy) =>
    placeFormulas(
      "balanceBackward",
      [slope, reshape(dy, [1, 1])],
      [Expression.input(0).mul(Expression.input(1))],
      probabilities.shape,
    ),
  );
}
