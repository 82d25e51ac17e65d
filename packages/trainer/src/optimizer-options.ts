import type { OptimizerOptions } from "@webmoe/nn";
import type { Shape } from "@webmoe/tensor";
import type { TrainSettings } from "./settings";

/** What the optimizer of some settings is told. */
export function optimizerOptions({ optimizer }: TrainSettings): OptimizerOptions {
  const { lr, matrixLr, ...options } = optimizer;
  if (options.name !== "muon") return options;
  if (!(lr > 0)) throw new Error(`optimizer.lr: needs more than 0 for muon, got ${lr}`);
  return { ...options, matrixRate: matrixLr / lr, matrices: blockMatrices };
}

/** Muon's matrices: those of the blocks, with queries, keys and values apart, and each expert's projections for themselves. */
function blockMatrices(path: string, shape: Shape): [number, number, number] | undefined {
  if (!path.startsWith("blocks.") || shape.length < 2) return undefined;
  const [rows, columns] = [shape.at(-2)!, shape.at(-1)!];
  if (path.endsWith("attention.qkv")) return [3, rows / 3, columns];
  return [shape.slice(0, -2).reduce((a, b) => a * b, 1), rows, columns];
}
