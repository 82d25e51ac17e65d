// docs/results/routers.md from a comparison: `node tools/routers-page.mjs RUN [OUT]`, where RUN is the folder that `webmoe compare`
// made. Every figure is read from compare.json, and from report.json of the runs that `webmoe inspect` has looked at; only
// the paper's own are written here.

import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { table } from "./markdown-table.mjs";

/** Test bits per byte in Qiu et al. 2024 (arXiv 2408.06793), tables 1, 2 and 5: enwik8, 8 layers of width 352, one run each. */
const PAPER = {
  linear: 1.128,
  hyper: 1.139,
  mlp: 1.137,
  random: 1.135,
  cosine: 1.122,
  xmoe: 1.125,
  recurrent: 1.116,
  NP: 1.123,
  "detach-h": 1.133,
  "recurrent+xmoe": 1.119,
};

/**
 * @typedef {{ mean: number, low?: number, high?: number, seeds: number }} Difference
 * @typedef {{ mean: number, deviation?: number, difference?: Difference }} Figure
 * @typedef {{ total: number, active: number, router: number }} Size
 * @typedef {{ label: string, note?: string, size: Size, bestSteps: number[], validation?: Figure, test?: Figure,
 *   msPerStep?: { mean: number, relative?: number }, memory?: { bytes: number, relative?: number } }} Router
 * @typedef {{ complete: boolean, done: number, planned: number, baseline: string, match: string, seeds: number[], adapters: string[],
 *   caveat?: string, webmoe: string, tokens: { perStep: number, perRun: number }, config: Record<string, any>, routers: Router[] }} Comparison
 * @typedef {{ published: number, corrected: number }} Information
 */

/**
 * The page of a comparison.
 * @param {Comparison} comparison
 * @param {{ command: string, information?: Map<string, Information> }} options the command that made it, and mean information between
 *   layers by router
 */
export function routersPage(comparison, { command, information = new Map() }) {
  const { routers, baseline, seeds, adapters, config, tokens, complete, done, planned, caveat } = comparison;
  const { model, moe, train, data } = config;
  const count = (/** @type {number} */ value) => value.toLocaleString("en-US");
  const open = [
    ...(complete ? [] : [`**${done} of ${planned} runs are done.**`]),
    ...(caveat ? [`**${caveat[0]?.toUpperCase()}${caveat.slice(1)}.**`] : []),
  ];
  const parts = [
    "# Routers compared",
    `${routers.length} routers, ${seeds.length} seeds: ${model.layers} layers of width ${model.dim}, ${model.heads} heads, ${moe.experts} experts of width ` +
      `${moe.hidden}, top ${moe.topK}, ${model.context} tokens of context, precision ${config.precision}. Each run trained ${count(train.steps)} steps of ` +
      `${count(tokens.perStep)} tokens, ${count(tokens.perRun)} in all, of \`${data}\`. Runs of a seed share their batches and the initial values of ` +
      `everything but the router. Validation and test are the two halves of the last tenth of the text.`,
    `Machine: ${adapters.join(", ")}; webmoe ${comparison.webmoe}. Made with`,
    `\`\`\`sh\n${command}\n\`\`\``,
    ...open,
    "## Loss",
    "Bits per byte at the step with the lowest validation loss of each run, mean ± standard deviation over seeds. " +
      `The difference is to ${baseline}, seed by seed, with its 95 % interval (t distribution).`,
    table(
      ["router", "validation", "difference", "test", "difference", "best step"],
      routers.map((router) => [
        router.label,
        figure(router.validation),
        difference(router.validation),
        figure(router.test),
        difference(router.test),
        router.bestSteps.join(", "),
      ]),
    ),
    "![Validation curves of all routers](routers-curves.svg)",
    "![Differences to the baseline with intervals](routers-differences.svg)",
    "## Cost",
    table(
      ["router", "parameters", "active", "router", "ms a step", "time", "memory"],
      routers.map(({ label, size, msPerStep, memory }) => [
        label,
        count(size.total),
        count(size.active),
        count(size.router),
        msPerStep?.mean.toFixed(2) ?? "",
        ratio(msPerStep?.relative),
        memory ? `${(memory.bytes / 2 ** 20).toFixed(0)} MiB (${ratio(memory.relative)})` : "",
      ]),
    ),
    ...agreement(comparison),
    ...informationPart(information),
  ];
  return `${parts.join("\n\n")}\n`;
}

/**
 * Whether the sign of each difference to the baseline is the paper's.
 * @param {Comparison} comparison
 */
function agreement({ routers, baseline }) {
  const paperOf = (/** @type {string} */ label) => /** @type {Record<string, number>} */ (PAPER)[label];
  const base = paperOf(baseline);
  const known = routers.filter(({ label, test }) => label !== baseline && paperOf(label) && test?.difference);
  if (!base || known.length === 0) return [];
  const rows = known.map((router) => {
    const published = /** @type {number} */ (paperOf(router.label)) - base;
    return [router.label, signed(published, 3), difference(router.test), verdict(published, router.test?.difference)];
  });
  return [
    "## The paper's ordering",
    `Test bits per byte less those of ${baseline}: in [Qiu et al. 2024](https://arxiv.org/abs/2408.06793) (enwik8, a larger model, more text, one run each) ` +
      "and here. Signs are compared, not sizes; where the interval holds zero, this comparison does not tell.",
    table(["router", "paper", "here", "verdict"], rows),
  ];
}

/** @param {number} published @param {Difference | undefined} here */
function verdict(published, here) {
  if (here?.low === undefined || here.high === undefined || here.seeds < 3) return "too few seeds";
  if (here.low <= 0 && here.high >= 0) return "not told apart";
  return Math.sign(here.mean) === Math.sign(published) ? "agrees" : "**disagrees**";
}

/** @param {Map<string, Information>} information */
function informationPart(information) {
  if (information.size === 0) return [];
  const byPublished = [...information].sort(([, a], [, b]) => b.published - a.published);
  const byCorrected = [...information].sort(([, a], [, b]) => b.corrected - a.corrected).map(([label]) => label);
  return [
    "## Information between layers",
    "Means over pairs of layers, in nats. *Published* is the paper's metric, which is driven by how flat the gates are; *corrected* is the mutual " +
      "information of first choices over tokens, less that of permuted tokens. Ranks count from the largest; where they differ, the metrics do.",
    table(
      ["router", "published", "rank", "corrected", "rank"],
      byPublished.map(([label, { published, corrected }], index) => [
        label,
        published.toFixed(4),
        `${index + 1}`,
        corrected.toFixed(4),
        `${byCorrected.indexOf(label) + 1}`,
      ]),
    ),
  ];
}

/** @param {Figure | undefined} value */
function figure(value) {
  if (!value) return "";
  return value.mean.toFixed(4) + (value.deviation === undefined ? "" : ` ± ${value.deviation.toFixed(4)}`);
}

/** @param {Figure | undefined} value */
function difference(value) {
  if (!value?.difference) return "";
  const { mean, low, high, seeds } = value.difference;
  if (low === undefined || high === undefined || seeds < 3) return signed(mean, 4);
  return `${signed(mean, 4)} [${signed(low, 4)}, ${signed(high, 4)}]`;
}

const signed = (/** @type {number} */ value, /** @type {number} */ digits) =>
  `${value < 0 ? "" : "+"}${value.toFixed(digits)}`;

const ratio = (/** @type {number | undefined} */ value) => (value === undefined ? "" : `${value.toFixed(2)}x`);

/**
 * The mean over pairs of different layers, of the first seed's report of a router; undefined where nobody inspected it.
 * @param {string} folder @returns {Information | undefined}
 */
function readInformation(folder) {
  const file = join(folder, "report.json");
  if (!existsSync(file)) return undefined;
  const { information } = JSON.parse(readFileSync(file, "utf8"));
  return { published: meanOfPairs(information.published), corrected: meanOfPairs(information.choices.corrected) };
}

/** @param {number[][]} matrix */
function meanOfPairs(matrix) {
  const values = matrix.flatMap((row, i) => row.filter((_, j) => j !== i));
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function main() {
  const [run, out = "docs/results"] = process.argv.slice(2);
  if (!run) {
    console.error("routers-page: needs the folder of a comparison: node tools/routers-page.mjs RUN [OUT]");
    return 2;
  }
  /** @type {Comparison & { command: string, folders: Record<string, string> }} */
  const comparison = JSON.parse(readFileSync(join(run, "compare.json"), "utf8"));
  /** @type {Map<string, Information>} */
  const information = new Map();
  for (const { label } of comparison.routers) {
    const folder = comparison.folders[label];
    const found = folder && readInformation(join(run, "runs", folder, `seed-${comparison.seeds[0]}`));
    if (found) information.set(label, found);
  }
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, "routers.md"), routersPage(comparison, { command: comparison.command, information }));
  for (const name of ["curves.svg", "differences.svg"]) {
    if (existsSync(join(run, name))) copyFileSync(join(run, name), join(out, `routers-${name}`));
  }
  console.log(`wrote ${join(out, "routers.md")}`);
  return 0;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) process.exitCode = main();
