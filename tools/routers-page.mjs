// docs/results/routers.md from a comparison: `node tools/routers-page.mjs RUN [OUT]`, where RUN is the folder that `webmoe compare`
// made. Every figure is read from compare.json, from metrics.jsonl of its runs, and from report.json of those that `webmoe inspect`
// has looked at; the paper's own are in routers-paper.mjs. What people concluded, the section "What it says", is kept from the page before.

import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { table } from "./markdown-table.mjs";
import { informationPart, readInspection } from "./routers-inspected.mjs";
import { againstPaper, PAPER, publishedDifferences } from "./routers-paper.mjs";

/**
 * @typedef {{ mean: number, low?: number, high?: number, seeds: number }} Difference
 * @typedef {{ mean: number, deviation?: number, difference?: Difference }} Figure
 * @typedef {{ total: number, active: number, router: number }} Size
 * @typedef {{ label: string, note?: string, size: Size, bestSteps: number[], validation?: Figure, test?: Figure,
 *   curve?: { step: number, difference?: Difference }[], msPerStep?: { mean: number, relative?: number }, memory?: { bytes: number, relative?: number } }} Router
 * @typedef {{ complete: boolean, done: number, planned: number, baseline: string, match: string, seeds: number[], adapters: string[],
 *   caveat?: string, webmoe: string, tokens: { perStep: number, perRun: number }, config: Record<string, any>, routers: Router[] }} Comparison
 * @typedef {import("./routers-inspected.mjs").Inspection} Inspection
 */

/** The section that people write. */
const CONCLUSIONS = "## What it says";

/**
 * The page of a comparison.
 * @param {Comparison} comparison
 * @param {{ command: string, inspected?: Map<string, Inspection>, training?: Map<string, number>, conclusions?: string }} options the command
 *   that made it, what inspect found by router, bits per byte on the training text by router, and the section of conclusions
 */
export function routersPage(comparison, { command, inspected = new Map(), training = new Map(), conclusions }) {
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
      `${moe.hidden}, top ${moe.topK}, ${model.context} tokens of context, ${model.dropout ? `dropout ${model.dropout}, ` : ""}precision ${config.precision}. Each run trained ${count(train.steps)} steps of ` +
      `${count(tokens.perStep)} tokens, ${count(tokens.perRun)} in all, of \`${data}\`. Runs of a seed share their batches and the initial values of ` +
      `everything but the router. Validation and test are the two halves of the last tenth of the text.`,
    `Machine: ${adapters.join(", ")}; webmoe ${comparison.webmoe}. Made with`,
    `\`\`\`sh\n${command}\n\`\`\``,
    ...open,
    ...(conclusions ? [conclusions] : []),
    "## Loss",
    "Bits per byte at the step with the lowest validation loss of each run, mean ± standard deviation over seeds. " +
      `The difference is to ${baseline}, seed by seed, with its 95 % interval (t distribution).` +
      (training.size > 0 ? " Training is the mean of the last tenth of the steps, on what they trained on." : ""),
    table(
      [
        "router",
        "validation",
        "difference",
        "test",
        "difference",
        ...(training.size > 0 ? ["training"] : []),
        "best step",
      ],
      routers.map((router) => [
        router.label,
        figure(router.validation),
        difference(router.validation),
        figure(router.test),
        difference(router.test),
        ...(training.size > 0 ? [training.get(router.label)?.toFixed(3) ?? ""] : []),
        router.bestSteps.join(", "),
      ]),
    ),
    "![Validation curves of all routers](routers-curves.svg)",
    "![Differences to the baseline with intervals](routers-differences.svg)",
    ...lags(comparison),
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
    ...informationPart(inspected),
  ];
  return `${parts.join("\n\n")}\n`;
}

/** Columns of the table of lags, at most. */
const MOST_COLUMNS = 8;

/**
 * How the differences to the baseline developed.
 * @param {Comparison} comparison
 */
function lags({ routers, baseline, tokens }) {
  const compared = routers.filter(({ curve }) => curve?.some(({ difference }) => difference));
  const steps = compared[0]?.curve?.map(({ step }) => step) ?? [];
  if (steps.length < 2) return [];
  const stride = Math.ceil(steps.length / MOST_COLUMNS);
  const chosen = steps.filter((_, index) => (steps.length - 1 - index) % stride === 0);
  return [
    "## With more text",
    `Mean difference to ${baseline} in validation, in bits per byte, after so many million tokens.`,
    "![How the differences to the baseline developed](routers-lags.svg)",
    table(
      ["router", ...chosen.map((step) => ((step * tokens.perStep) / 1e6).toFixed(1))],
      compared.map(({ label, curve }) => [
        label,
        ...chosen.map((step) => {
          const found = curve?.find((point) => point.step === step)?.difference;
          return found ? signed(found.mean, 3) : "";
        }),
      ]),
    ),
  ];
}

/**
 * The differences to the baseline beside the paper's, those of the same size first.
 * @param {Comparison} comparison
 */
function agreement({ routers, baseline, config }) {
  const others = routers.filter(({ label, test }) => label !== baseline && test?.difference);
  const same = (/** @type {{ layers: number, dim: number }} */ size) =>
    size.layers === config.model.layers && size.dim === config.model.dim;
  const sizes = PAPER.filter(({ test }) =>
    others.some(({ label }) => publishedDifferences(test, label, baseline).length > 0),
  )
    .filter((size) => same(size) || size.layers === 8)
    .sort((a, b) => Number(same(b)) - Number(same(a)));
  const known = others.filter(({ label }) =>
    sizes.some(({ test }) => publishedDifferences(test, label, baseline).length > 0),
  );
  if (known.length === 0) return [];
  const head = sizes.flatMap(({ layers, dim }) => [`paper, ${layers} x ${dim}`, "beside ours"]);
  const rows = known.map(({ label, test }) => [
    label,
    difference(test),
    ...sizes.flatMap((size) => {
      const published = publishedDifferences(size.test, label, baseline);
      return [published.map((value) => signed(value, 3)).join(" or "), againstPaper(published, test?.difference)];
    }),
  ]);
  const sources = sizes.map(
    (size) =>
      `${size.layers} layers of width ${size.dim}${same(size) ? ", the size of this comparison," : ""} in ${size.source}`,
  );
  return [
    "## Beside the paper",
    `Test bits per byte less those of ${baseline}: here, and in [Qiu et al. 2024](https://arxiv.org/abs/2408.06793) on the whole of enwik8, a single run ` +
      `each: ${sources.join("; ")}. *Inside* says that the paper's figure lies in our interval. A difference of 0.001 is no order, as the ` +
      "paper rounds to it, nor is one that it gives twice with figures so far apart.",
    table(["router", "here", ...head], rows),
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
 * Bits per byte of the last tenth of a router's training steps, over its runs; undefined where their metrics are missing.
 * @param {string[]} folders @param {number} steps @param {number} bits what a nat a token is in bits a byte
 */
function trainingLoss(folders, steps, bits) {
  const means = folders.flatMap((folder) => {
    const file = join(folder, "metrics.jsonl");
    if (!existsSync(file)) return [];
    const losses = readFileSync(file, "utf8")
      .split("\n")
      .flatMap((line) => (line ? [JSON.parse(line)] : []))
      .flatMap(({ split, step, loss }) => (split === undefined && step > 0.9 * steps ? [loss] : []));
    return losses.length > 0 ? [meanOf(losses)] : [];
  });
  return means.length > 0 ? bits * meanOf(means) : undefined;
}

const meanOf = (/** @type {number[]} */ values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The section of conclusions of the page before, if there is one. @param {string} page */
export function conclusionsOf(page) {
  const [, after] = page.split(`${CONCLUSIONS}\n`);
  if (after === undefined) return undefined;
  return `${CONCLUSIONS}\n${after.split(/^## /m)[0]}`.trim();
}

function main() {
  const [run, out = "docs/results"] = process.argv.slice(2);
  if (!run) {
    console.error("routers-page: needs the folder of a comparison: node tools/routers-page.mjs RUN [OUT]");
    return 2;
  }
  /** @type {Comparison & { command: string, folders: Record<string, string>, routers: { runs: any[] }[] }} */
  const comparison = JSON.parse(readFileSync(join(run, "compare.json"), "utf8"));
  /** @type {Map<string, Inspection>} */
  const inspected = new Map();
  /** @type {Map<string, number>} */
  const training = new Map();
  for (const { label, runs } of comparison.routers) {
    const folders = comparison.seeds.map((seed) =>
      join(run, "runs", comparison.folders[label] ?? label, `seed-${seed}`),
    );
    const found = readInspection(folders[0] ?? "");
    if (found) inspected.set(label, found);
    const { loss, bitsPerByte } = runs[0]?.best.validation ?? {};
    const trained = trainingLoss(folders, comparison.config.train.steps, bitsPerByte / loss);
    if (trained !== undefined) training.set(label, trained);
  }
  mkdirSync(out, { recursive: true });
  const page = join(out, "routers.md");
  const conclusions = existsSync(page) ? conclusionsOf(readFileSync(page, "utf8")) : undefined;
  writeFileSync(page, routersPage(comparison, { command: comparison.command, inspected, training, conclusions }));
  for (const name of ["curves.svg", "differences.svg", "lags.svg"]) {
    if (existsSync(join(run, name))) copyFileSync(join(run, name), join(out, `routers-${name}`));
  }
  console.log(`wrote ${page}${conclusions ? `; see whether "${CONCLUSIONS.slice(3)}" still holds` : ""}`);
  return 0;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) process.exitCode = main();
