import { ENTROPY_BINS } from "../statistics/routing-statistics";
import { heatMap } from "./heat-map";
import { escapeText } from "./markup";
import { layerName, type ReportFigures } from "./report-figures";
import { ridges } from "./ridges";
import { percent, section, table } from "./section";

/** A few figures that say most. */
export function glance({ layers, experts, topK, information, loss }: ReportFigures): string {
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  const named = (layer: ReportFigures["layers"][number]) => `in ${layerName(layer)}`;
  const busiest = layers.reduce((a, b) => (b.maxLoad > a.maxLoad ? b : a));
  const dead = layers.reduce((sum, layer) => sum + layer.dead, 0);
  const moved = layers.filter((layer) => layer.stateEffect);
  const most = moved.reduce((a, b) => (b.stateEffect!.first > a.stateEffect!.first ? b : a), moved[0]!);
  const pairs = information.choices.corrected.flatMap((row, i) => row.filter((_, j) => j !== i));
  const tiles: [figure: string, meaning: string][] = [
    [loss.toFixed(3), "nats a token, cross entropy"],
    [
      mean(layers.map((layer) => layer.entropy.mean)).toFixed(2),
      `nats of gate entropy of at most ${Math.log(experts).toFixed(2)}`,
    ],
    [
      percent(busiest.maxLoad),
      `of tokens at the busiest expert, ${named(busiest)}; even is ${percent(topK / experts, 0)}`,
    ],
    [`${dead} of ${experts * layers.length}`, "experts without a token"],
    ...(pairs.length > 0
      ? [[mean(pairs).toFixed(2), "nats that layers tell of each other's choices"] satisfies [string, string]]
      : []),
    ...(most
      ? [
          [percent(most.stateEffect!.first, 0), `of first choices change without the state, ${named(most)}`] satisfies [
            string,
            string,
          ],
        ]
      : []),
  ];
  return `<dl class="glance">${tiles.map(([figure, meaning]) => `<div><dt>${escapeText(meaning)}</dt><dd>${figure}</dd></div>`).join("")}</dl>`;
}

/** The main figures of every layer as a table. */
export function overview({ layers, experts, batchTokens }: ReportFigures): string {
  const head = [
    "",
    "entropy",
    "inner balance",
    "outer balance",
    "largest load",
    "experts used",
    "max violation",
    "dropped",
    "a token",
  ];
  return section(
    "Layers",
    `Entropy is a mean in nats, at most ${Math.log(experts).toFixed(2)}; inner balance is the median of the largest probability over the second, outer balance that of the sum of the K largest; largest load is the busiest expert's share of tokens; dropped is what capacity factor 1 would leave out of a batch of ${batchTokens} tokens; the last column counts experts a token.`,
    table(
      head,
      layers.map((layer) => [
        layerName(layer),
        layer.entropy.mean.toFixed(3),
        layer.innerBalance === null ? "–" : layer.innerBalance.toPrecision(4),
        layer.outerBalance.toFixed(3),
        percent(layer.maxLoad),
        `${experts - layer.dead} of ${experts}`,
        layer.maxViolation.toFixed(2),
        percent(layer.dropRatio),
        layer.expertsPerToken.toFixed(2),
      ]),
    ),
  );
}

/** Layers and experts, shaded by load. */
export function loads({ layers, experts }: ReportFigures): string {
  const shares = layers.map(({ load }) => {
    const total = Math.max(
      1,
      load.reduce((sum, count) => sum + count, 0),
    );
    return load.map((count) => count / total);
  });
  return section(
    "Load",
    `Each expert's share of a layer's assignments. An even share, ${percent(1 / experts)}, is half of a full shade.`,
    heatMap({
      label: "Load of each expert in each layer",
      rows: layers.map(layerName),
      columns: Array.from({ length: experts }, (_, e) => String(e)),
      values: shares,
      full: 2 / experts,
      title: (row, column, value) => `${layerName(layers[row]!)}, expert ${column}: ${percent(value)} of assignments`,
    }),
  );
}

/** Distributions of gate entropy. */
export function entropies({ layers, experts, surest }: ReportFigures): string {
  const high = Math.log(Math.max(2, experts));
  return section(
    "Gate entropy",
    `How sure the router is of each token, in nats: 0 is certain, ${high.toFixed(2)} = ln ${experts} is indifferent. The axis begins at the surest token of all; marks are medians.`,
    ridges({
      label: "Distribution of gate entropy in each layer",
      rows: layers.map((layer) => ({
        name: layerName(layer),
        counts: layer.entropy.histogram,
        mark: layer.entropy.median,
        title: `${layerName(layer)}: median ${layer.entropy.median.toFixed(3)}, mean ${layer.entropy.mean.toFixed(3)} nats, ${ENTROPY_BINS} bins`,
      })),
      low: surest,
      high,
      ends: [`${surest.toFixed(2)} nats`, `${high.toFixed(2)} nats`],
    }),
  );
}

/** Two matrices of information between layers: corrected and as published. */
export function information({ layers, information }: ReportFigures): string {
  if (layers.length < 2) return "";
  const { choices, published } = information;
  const names = layers.map(({ block }) => String(block));
  const text = layers.length <= 12 ? (value: number) => value.toFixed(2) : undefined;
  const map = (
    label: string,
    matrix: number[][],
    title: (i: number, j: number, value: number) => string,
    caption: string,
  ) => {
    const values = matrix.map((row, i) => row.map((value, j) => (i === j ? null : value)));
    const full = Math.max(1e-9, ...values.flat().map((value) => value ?? 0));
    const plot = heatMap({ label, rows: names, columns: names, values, full, title, text });
    return `<figure>${plot}<figcaption>${caption}</figcaption></figure>`;
  };
  const pair = (i: number, j: number) => `layers ${names[i]} and ${names[j]}`;
  return section(
    "Information between layers",
    "What a token's expert in one layer tells about its expert in another, in nats.",
    `<div class="pair">${map(
      "Corrected mutual information between layers",
      choices.corrected,
      (i, j, value) =>
        `${pair(i, j)}: ${value.toFixed(4)} nats above chance (${choices.raw[i]![j]!.toFixed(4)} less ${choices.chance[i]![j]!.toFixed(4)} ± ${choices.spread[i]![j]!.toFixed(4)})`,
      "<b>Corrected</b>: mutual information of first choices over tokens, less what permuted tokens give.",
    )}${map(
      "Mutual information between layers as published",
      published,
      (i, j, value) => `${pair(i, j)}: ${value.toFixed(4)} nats as published`,
      "<b>As published</b> (Qiu et al. 2024): of digitised probabilities with experts as samples, token by token. It rises with how many different hundredths the probabilities of a token take, also for layers that share nothing.",
    )}</div>`,
  );
}
