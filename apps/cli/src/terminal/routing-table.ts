import type { Inspection } from "@webmoe/inspect";
import color from "picocolors";

/** The main figures of every MoE layer as lines of text that fit into 80 columns. */
export function routingTable({ layers, experts, information }: Inspection): string {
  const head = ["layer", "entropy", "inner", "outer", "largest", "unused", "dropped", "similar", "state"];
  const rows = layers.map((layer) => [
    String(layer.block),
    layer.entropy.mean.toFixed(3),
    layer.innerBalance === null ? "-" : layer.innerBalance.toPrecision(3),
    layer.outerBalance.toFixed(3),
    `${(100 * layer.maxLoad).toFixed(1)} %`,
    `${layer.dead}/${experts}`,
    `${(100 * layer.dropRatio).toFixed(1)} %`,
    layer.similarity.offDiagonal.toFixed(3),
    layer.stateEffect ? `${(100 * layer.stateEffect.first).toFixed(1)} %` : "-",
  ]);
  const line = (cells: string[]) =>
    cells
      .map((cell) => cell.padStart(8))
      .join("")
      .trimEnd();
  return [
    color.dim(line(head)),
    ...rows.map(line),
    "",
    color.dim("entropy in nats; largest: share of tokens at the busiest expert; dropped: at capacity factor 1;"),
    color.dim("similar: between experts; state: first choices that change when the state is zeroed"),
    ...between(layers.length, information),
  ].join("\n");
}

function between(layers: number, { choices, published }: Inspection["information"]): string[] {
  if (layers < 2) return [];
  const pairs = Array.from({ length: layers }, (_, i) => Array.from({ length: i }, (_, j) => [i, j] as const)).flat();
  const mean = (matrix: number[][]) => pairs.reduce((sum, [i, j]) => sum + matrix[i]![j]!, 0) / pairs.length;
  return [
    "",
    `information between layers, mean of ${pairs.length} ${pairs.length === 1 ? "pair" : "pairs"}: ${mean(choices.corrected).toFixed(4)} ± ${mean(choices.spread).toFixed(4)} nats above chance, ${mean(published).toFixed(4)} as published`,
  ];
}
