import { layerName, type Norms, type ReportFigures } from "./report-figures";
import { percent, section, table } from "./section";

/** What the state between layers does to choices, where there is one. */
export function state({ layers }: ReportFigures): string {
  if (!layers.some(({ stateEffect }) => stateEffect)) return "";
  const names = [...new Set(layers.flatMap(({ stateNorms }) => Object.keys(stateNorms)))];
  return section(
    "The state between layers",
    "What a layer would choose had it seen zeros in place of what the layer before handed on, all else as it was; and mean norms of what each layer hands on.",
    table(
      [
        "",
        "first choices that change",
        "assignments that change",
        "probability that moves",
        ...names.map((name) => `|${name}|`),
      ],
      layers.map((layer) => [
        layerName(layer),
        ...(layer.stateEffect
          ? [layer.stateEffect.first, layer.stateEffect.assignments, layer.stateEffect.distance].map((share) =>
              percent(share),
            )
          : ["–", "–", "–"]),
        ...names.map((name) => layer.stateNorms[name]?.toPrecision(3) ?? "–"),
      ]),
    ),
  );
}

/** The gradient of the router by part of the loss, where it learns. */
export function gradients({ layers, gradient }: ReportFigures): string {
  if (!gradient) return "";
  const row = (name: string, norms?: Norms) => [
    name,
    ...(norms
      ? [norms.whole, norms.languageModel, norms.balance].map((norm) => norm.toExponential(2))
      : ["–", "–", "–"]),
  ];
  return section(
    "Gradient of the router",
    "Norms of the gradient with respect to all that the router learns, each a mean over batches: of the whole training loss, of the cross entropy alone, of the weighted balance loss alone.",
    table(
      ["", "whole", "language model", "balance"],
      [
        row("router", gradient.router),
        ...(gradient.shared ? [row("shared by layers", gradient.shared)] : []),
        ...layers.map((layer) => row(layerName(layer), layer.gradient)),
      ],
    ),
  );
}

/** Similarity of experts, and norms of the router. */
export function weights({ layers, experts }: ReportFigures): string {
  const names = [...new Set(layers.flatMap(({ router }) => Object.keys(router)))];
  return section(
    "Weights",
    `Similarity of experts, from the directions of their mean rows: over all ${experts * experts} pairs as published, an expert with itself included, and over different experts alone. Norms and standard deviations of the router's tensors.`,
    table(
      ["", "similarity", "off the diagonal", ...names.flatMap((name) => [`|${name}|`, `std ${name}`])],
      layers.map((layer) => [
        layerName(layer),
        layer.similarity.whole.toFixed(4),
        layer.similarity.offDiagonal.toFixed(4),
        ...names.flatMap((name) => {
          const found = layer.router[name];
          return found ? [found.norm.toFixed(3), found.std.toFixed(4)] : ["–", "–"];
        }),
      ]),
    ),
  );
}
