import { balanceBackward, balanceChunks, balance as balanceKernel, probabilitySums } from "@webmoe/webgpu";
import { showShape } from "../shape";
import { place, type Tensor, withGradient, withoutGradient } from "../tensor";

/** How a router spreads a batch of tokens. */
export interface Balance {
  /**
   * E * sum_e f_e p_e, a scalar (Fedus et al. 2021, eq. 4): f_e is expert e's share of the load, p_e the mean of its
   * probability over tokens. Only the probabilities get a gradient.
   */
  loss: Tensor;
  /** The mean over tokens of -sum_e p_e ln p_e, a scalar without gradient. */
  entropy: Tensor;
  /** The sum over tokens of each expert's probability, [E], without gradient. */
  total: Tensor;
}

/** Balance and entropy of `probabilities` [T, E] under the `load` [E] of experts; rows of zeros are no `tokens`, a scalar. */
export function balance(probabilities: Tensor, load: Tensor, tokens: Tensor): Balance {
  const [rows, experts] = probabilities.shape as [number, number];
  if (probabilities.shape.length !== 2 || load.size !== experts || tokens.size !== 1) {
    throw new Error(
      `balance: needs probabilities [T, E], load [E] and a scalar, got ${showShape(probabilities.shape)}, ` +
        `${showShape(load.shape)} and ${showShape(tokens.shape)}`,
    );
  }
  const chunks = balanceChunks(rows);
  const summed = { rows, cols: experts, chunks };
  const sums = place(probabilitySums, { p: probabilities }, summed, { partial: [chunks, 2, experts] }).partial;
  const { loss, slope, total, entropy } = place(
    balanceKernel,
    { sums, load, tokens },
    { experts, chunks },
    { loss: [], slope: [experts], total: [experts], entropy: [] },
  );
  withGradient("balance", loss, [probabilities], (dy) =>
    Object.values(
      place(balanceBackward, { slope, dloss: dy }, { rows, cols: experts }, { dprobabilities: [rows, experts] }),
    ),
  );
  withoutGradient("balance", [entropy, total], [probabilities]);
  return { loss, entropy, total };
}
