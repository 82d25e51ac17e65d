// What the page says of kernels by themselves.

import { percent, quantile, ratioOf, table } from "./markdown.mjs";

/** @typedef {import("./page.mjs").Figure} Figure */
/** @typedef {Record<string, number>} Sizes */

/** Products of experts beside one dense product of as many assignments: even, at random, and with half of all rows at one. @param {Figure[]} cases */
export function expertProducts(cases) {
  const kernelsOf = (/** @type {string} */ name) =>
    cases
      .filter((each) => each.precision === "mixed" && each.name.startsWith(name))
      .flatMap(({ kernels }) => /** @type {Figure[]} */ (kernels));
  const dense = kernelsOf("dense").map((kernel) => ({ sizes: sizesOf(kernel), rounds: each(kernel) }));
  const [randomly, uneven] = ["experts at random", "half of all rows"].map(kernelsOf);
  const evenly = kernelsOf("even experts");
  const rows = evenly
    .filter(({ kernel }) => kernel.startsWith("grouped"))
    .flatMap((k) => {
      const alike = denseLike(k);
      const found = alike.flatMap((fits) => dense.find(({ sizes }) => fits(sizes)) ?? []);
      const [{ sizes } = { sizes: undefined }] = found;
      if (!sizes || found.length < alike.length) return [];
      const even = each(k);
      const beside = even.map(
        (_, round) => found.reduce((sum, { rounds }) => sum + (rounds[round] ?? 0), 0) / found.length,
      );
      const same = (/** @type {Figure[] | undefined} */ kernels) =>
        kernels?.find(({ kernel, sizes }) => kernel === k.kernel && sizes === k.sizes);
      const [scattered, hot] = [same(randomly), same(uneven)];
      // Two floating-point operations for each of the rows that tokens were sent to.
      const teraflops = (/** @type {number[]} */ us) =>
        ((2 * (sizes.m ?? 0) * (sizes.n ?? 0) * (sizes.k ?? 0)) / quantile(us, 0.5) / 1e6).toFixed(0);
      return [
        [
          `${k.kernel}: ${k.sizes}`,
          quantile(beside, 0.5).toFixed(1),
          quantile(even, 0.5).toFixed(1),
          `${teraflops(beside)} / ${teraflops(even)}`,
          `**${percent(ratioOf(beside, even).median)}**`,
          scattered ? percent(ratioOf(beside, each(scattered)).median) : "",
          hot ? `${ratioOf(whole(hot, uneven), whole(k, evenly)).median.toFixed(2)}x` : "",
        ],
      ];
    });
  if (rows.length === 0) return [];
  return [
    "## Products of experts beside dense ones",
    "In mixed precision, all kernels in turns; ratios are medians over rounds. Even experts have the same number of rows each, as many as fill whole tiles; at random every token goes to any two. FLOPs are those of the rows that tokens were sent to, as many as the dense product has; rows that fill up the tiles of an expert count for nothing. With half of all rows at one expert, gradients of weights are summed in parts, whose addition is counted, for both products with each.",
    table(
      [
        ...["kernel", "dense us", "even experts us", "TFLOPS", "even, of the dense rate", "at random"],
        "time with half of all rows at one",
      ],
      rows,
    ),
  ];
}

/** Which dense products do the work of one of experts: y = x w^T, its dx, or its dw. @param {Figure} kernel */
function denseLike(kernel) {
  const { out, in: inner } = sizesOf(kernel);
  /** @typedef {(dense: Sizes) => boolean} Fits */
  const forward = /** @type {Fits} */ ({ n, k }) => n === out && k === inner;
  const backward = /** @type {Fits} */ ({ n, k }) => n === inner && k === out;
  const gradient = /** @type {Fits} */ ({ m, n }) => m === out && n === inner;
  if (kernel.kernel.startsWith("groupedWeight")) return [gradient];
  if (kernel.dispatches > 1) return [forward, backward];
  return [kernel.kernel.endsWith("Gather") ? forward : backward];
}

/**
 * Microseconds of a product in every round, those of a weight's gradient with the addition of its parts.
 * @param {Figure} kernel @param {Figure[] | undefined} kernels @returns {number[]}
 */
function whole(kernel, kernels) {
  const addition = kernels?.find((other) => other.kernel.startsWith("addSpares"));
  if (!addition || !kernel.kernel.startsWith("groupedWeight")) return each(kernel);
  const added = each(addition);
  return each(kernel).map((us, round) => us + (added[round] ?? 0));
}

/** Microseconds of one dispatch in every round. @param {Figure} kernel @returns {number[]} */
function each({ rounds, dispatches }) {
  return rounds.map((/** @type {number} */ us) => us / dispatches);
}

/** "rows 8, out 4" as numbers by name. @param {Figure} kernel @returns {Sizes} */
function sizesOf({ sizes }) {
  return Object.fromEntries(
    sizes.split(", ").map((/** @type {string} */ part) => [part.split(" ")[0], Number(part.split(" ")[1])]),
  );
}

/** @param {Figure[]} cases */
export function kernels(cases) {
  const rows = cases.flatMap(({ name, precision, kernels }) =>
    /** @type {Figure[]} */ (kernels).map((k) => [
      name,
      precision,
      `${k.kernel}: ${k.sizes}`,
      k.microseconds.toFixed(1),
      String(k.dispatches),
      k.teraflops?.toPrecision(3) ?? "",
      k.gigabytesPerSecond.toPrecision(3),
      k.ofFloor ? percent(k.ofFloor) : "",
    ]),
  );
  if (rows.length === 0) return [];
  return [
    "## Kernels by themselves",
    "All of one precision in turns, and with them the product and the copy that the device's peak is measured with. Of products of experts this counts the rows that fill up tiles as well.",
    table(["case", "precision", "kernel", "us", "count", "TFLOPS", "GB/s", "of the device's peak"], rows),
  ];
}
