// What `webmoe inspect` found of the routers of a comparison, for its page.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { table } from "./markdown-table.mjs";

/**
 * Information between layers in nats, the entropy of the gates in nats, and for each layer after the first the share of first choices that
 * change when the router's state is zeroed, where it has one.
 * @typedef {{ published: number, corrected: number, entropy: number, changed?: number[] }} Inspection
 */

/**
 * Means over pairs of different layers and over layers, of a run's report.json; undefined where nobody inspected it.
 * @param {string} folder @returns {Inspection | undefined}
 */
export function readInspection(folder) {
  const file = join(folder, "report.json");
  if (!existsSync(file)) return undefined;
  const { information, layers } = JSON.parse(readFileSync(file, "utf8"));
  const changed = layers.flatMap((/** @type {{ stateEffect?: { first: number } }} */ { stateEffect }) =>
    stateEffect ? [stateEffect.first] : [],
  );
  return {
    published: meanOfPairs(information.published),
    corrected: meanOfPairs(information.choices.corrected),
    entropy: meanOf(layers.map((/** @type {{ entropy: { mean: number } }} */ { entropy }) => entropy.mean)),
    ...(changed.length > 0 && { changed }),
  };
}

/** Ranks that far apart are said. */
const FAR = 3;

/**
 * The part of the page on information between layers, and on what the state does.
 * @param {Map<string, Inspection>} inspected
 */
export function informationPart(inspected) {
  if (inspected.size === 0) return [];
  const labels = [...inspected.keys()];
  const of = (/** @type {"published" | "corrected" | "entropy"} */ name) =>
    labels.map((label) => inspected.get(label)?.[name] ?? 0);
  const [published, corrected, entropy] = [of("published"), of("corrected"), of("entropy")];
  const [byPublished, byCorrected] = [ranks(published), ranks(corrected)];
  const far = labels.flatMap((label, i) =>
    Math.abs((byPublished[i] ?? 0) - (byCorrected[i] ?? 0)) >= FAR
      ? [`${label} (${byPublished[i]} and ${byCorrected[i]})`]
      : [],
  );
  const rows = labels
    .map((label, i) => ({
      rank: byPublished[i] ?? 0,
      cells: [
        label,
        ...[published, corrected].flatMap((values, which) => [
          (values[i] ?? 0).toFixed(3),
          `${(which === 0 ? byPublished : byCorrected)[i]}`,
        ]),
        (entropy[i] ?? 0).toFixed(2),
      ],
    }))
    .sort((a, b) => a.rank - b.rank);
  const correlation = (/** @type {number[]} */ a, /** @type {number[]} */ b) => rankCorrelation(a, b).toFixed(2);
  const differs = [
    ...(labels.length > 3
      ? [
          `Over these ${labels.length} routers the published metric has a rank correlation of ${correlation(published, corrected)} with the corrected one. With ` +
            `the mean entropy of the gates the published one's is ${correlation(published, entropy)}, the corrected one's ${correlation(corrected, entropy)}.`,
        ]
      : []),
    far.length > 0
      ? `Where the two differ by ${FAR} ranks or more (rank by the published one, by the corrected one): ${far.join(", ")}.`
      : `No router's ranks differ by ${FAR} or more.`,
  ];
  return [
    "## Information between layers",
    "Means over pairs of layers, in nats, of the first seed. *Published* is the paper's metric, for each token the information between two layers' " +
      "probabilities over the numbers of experts: it compares few numbers rounded to hundredths, and so rises with how many different ones a gate " +
      "gives, also between layers that share nothing. *Corrected* is the mutual information of first choices over tokens, less that of permuted " +
      "tokens. Ranks count from the largest; entropy is of the gates.",
    table(
      ["router", "published", "rank", "corrected", "rank", "entropy"],
      rows.map(({ cells }) => cells),
    ),
    differs.join(" "),
    ...statePart(inspected),
  ];
}

/** @param {Map<string, Inspection>} inspected */
function statePart(inspected) {
  const rows = [...inspected].flatMap(([label, { changed }]) =>
    changed ? [[label, ...changed.map((share) => `${(100 * share).toFixed(0)} %`)]] : [],
  );
  if (rows.length === 0) return [];
  const layers = Math.max(...rows.map((row) => row.length)) - 1;
  return [
    "Tokens whose first expert is another one when the layer is handed zeros in place of the state:",
    table(["router", ...Array.from({ length: layers }, (_, index) => `layer ${index + 1}`)], rows),
  ];
}

/** Ranks from the largest, 1 first. @param {number[]} values */
function ranks(values) {
  return values.map((value) => 1 + values.filter((other) => other > value).length);
}

/** Spearman's rank correlation. @param {number[]} a @param {number[]} b */
function rankCorrelation(a, b) {
  const [x, y] = [ranks(a), ranks(b)];
  const [middleX, middleY] = [meanOf(x), meanOf(y)];
  const sum = (/** @type {(i: number) => number} */ of) => x.reduce((total, _, i) => total + of(i), 0);
  const [dx, dy] = [x.map((value) => value - middleX), y.map((value) => value - middleY)];
  const norm = Math.sqrt(sum((i) => (dx[i] ?? 0) ** 2) * sum((i) => (dy[i] ?? 0) ** 2));
  return sum((i) => (dx[i] ?? 0) * (dy[i] ?? 0)) / norm;
}

/** @param {number[][]} matrix */
function meanOfPairs(matrix) {
  return meanOf(matrix.flatMap((row, i) => row.filter((_, j) => j !== i)));
}

/** @param {number[]} values */
function meanOf(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
