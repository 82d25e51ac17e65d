// docs/results/classification.md from runs: `node tools/classification-page.mjs RUNS [OUT]`, where RUNS holds the folders of runs that
// `webmoe train --task classify` made, that of the language model they were fine-tuned from, and devices.json, what `webmoe devices
// --json` printed there. Every figure is read from config.json and metrics.jsonl of the runs.

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { table } from "./markdown-table.mjs";

/**
 * @typedef {{ step: number, split?: string, loss: number, accuracy?: number, macroF1?: number, bitsPerByte?: number }} Line
 * @typedef {{ name: string, config: Record<string, any>, version: string, lines: Line[] }} Run
 * @typedef {{ label: string, runs: Run[] }} Variant
 */

/** @param {string} folder @returns {Run[]} */
export function readRuns(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(folder, entry.name, "config.json")))
    .map(({ name }) => {
      const { config, versions } = JSON.parse(readFileSync(join(folder, name, "config.json"), "utf8"));
      const text = readFileSync(join(folder, name, "metrics.jsonl"), "utf8").trim();
      return { name, config, version: versions.webmoe, lines: text.split("\n").map((line) => JSON.parse(line)) };
    });
}

/**
 * The page of runs that classify one data set.
 * @param {Run[]} all
 * @param {string} machine
 */
export function classificationPage(all, machine) {
  const runs = all.filter(({ config }) => config.task === "classify");
  const language = all.find(({ config }) => config.task === "language");
  const first = runs[0];
  if (!first) throw new Error("classification-page: needs runs of webmoe train --task classify, got none");
  const { model, moe, batch, train, optimizer, router, classification, precision, data } = first.config;
  const variants = variantsOf(runs);
  const seeds = [...new Set(runs.map(({ config }) => config.seed))].sort((a, b) => a - b);
  const steps = [...new Set(runs.flatMap((run) => validations(run).map(({ step }) => step)))].sort((a, b) => a - b);
  const bases = variants.slice(0, 2);
  const pretrained = language && validations(language).at(-1);
  const parts = [
    "# Text classification",
    `${classification.labels.length} classes of \`${data}\`, judged on all of \`${classification.validation ?? data}\`: ` +
      `the ${router.name} router, ${model.layers} layers of width ${model.dim}, ${moe.experts} experts, top ${moe.topK}, ${model.context} bytes of a text, ` +
      `dropout ${model.dropout ?? 0}. Every run takes ${count(train.steps)} steps of ${batch.size} texts with ${optimizer.name} at ${optimizer.lr}, ` +
      `precision ${precision}. Figures are of the last step: no step was chosen by looking at the held-out texts.`,
    `Machine: ${machine}; webmoe ${first.version}. ${seedsText(seeds)}`,
    `\`\`\`sh\n${commands(first, language).join("\n")}\n\`\`\``,
    ...(language && pretrained
      ? [
          `Fine-tuned runs start from one language model: ${count(language.config.train.steps)} steps of ${count(language.config.batch.size * language.config.model.context)} ` +
            `bytes of \`${basename(language.config.data)}\` on the same machine, ${pretrained.bitsPerByte?.toFixed(3)} bits per byte on its held-out tenth. ` +
            "All of them get fresh scores of the classes. Qiu et al. 2024 fine-tune with the router frozen and not; " +
            "what they freeze is G, or G and the GRU (of P they do not say). Here *gates frozen* is G alone, *router frozen* is P, the GRU and G.",
        ]
      : []),
    table(
      ["run", "accuracy", "macro F1", "nats a text", ...bases.map(({ label }) => `less ${label}, by seed`)],
      variants.map((variant) => [
        variant.label,
        figure(last(variant, "accuracy"), 100, 2, " %"),
        figure(last(variant, "macroF1"), 100, 2, " %"),
        figure(last(variant, "loss"), 1, 3, ""),
        ...bases.map((base) => (variants.indexOf(variant) > variants.indexOf(base) ? differences(variant, base) : "")),
      ]),
    ),
    "The last columns are differences of accuracy in points.",
    "## On the way",
    "Accuracy on the held-out texts, mean over seeds.",
    table(
      ["run", ...steps.map((step) => `step ${count(step)}`)],
      variants.map((variant) => [variant.label, ...steps.map((step) => percent(mean(at(variant, step))))]),
    ),
    "Made by `node tools/classification-page.mjs` from the runs' own files.",
  ];
  return `${parts.join("\n\n")}\n`;
}

/** @param {Run} run @param {Run | undefined} language */
function commands({ config }, language) {
  const { preset, precision, data, classification, train, model, batch } = config;
  const start = `webmoe train --preset ${preset} --set precision=${precision}`;
  const sets = { "model.context": model.context, "batch.size": batch.size, "model.dropout": model.dropout ?? 0 };
  const set = Object.entries(sets).map(([key, value]) => `--set ${key}=${value}`);
  return [
    ...(language
      ? [`${start} --data ${basename(language.config.data)} --steps ${language.config.train.steps} --out language`]
      : []),
    `${start} --task classify --data ${data} --set classification.validation=${classification.validation} \\`,
    `  --steps ${train.steps} --seed 1 ${set.join(" ")} \\`,
    "  [--init-from language [--freeze 'router.layers.*.gate' | --freeze router]]",
  ];
}

/** @param {Run[]} runs @returns {Variant[]} from scratch first, then what is frozen least */
function variantsOf(runs) {
  /** @type {Map<string, Run[]>} */
  const byLabel = new Map();
  const frozen = (/** @type {Run} */ run) => (run.config.start.from ? [run.config.freeze ?? []].flat() : undefined);
  const order = (/** @type {Run} */ run) => {
    const names = frozen(run);
    return names ? names.join().length * (names.includes("router") ? 100 : 1) : -1;
  };
  for (const run of [...runs].sort((a, b) => order(a) - order(b))) {
    const label = labelOf(frozen(run));
    byLabel.set(label, [...(byLabel.get(label) ?? []), run]);
  }
  return [...byLabel].map(([label, own]) => ({ label, runs: own }));
}

/** @param {string[] | undefined} frozen */
function labelOf(frozen) {
  if (!frozen) return "from scratch";
  if (frozen.length === 0) return "fine-tuned";
  const part = frozen.includes("router")
    ? "router"
    : frozen.join() === "router.layers.*.gate"
      ? "gates"
      : frozen.join();
  return `fine-tuned, ${part} frozen`;
}

const validations = (/** @type {Run} */ { lines }) => lines.filter(({ split }) => split === "validation");

/** @param {Variant} variant @param {"accuracy" | "macroF1" | "loss"} what */
const last = ({ runs }, what) => runs.map((run) => validations(run).at(-1)?.[what] ?? Number.NaN);

/** @param {Variant} variant @param {number} step */
const at = ({ runs }, step) =>
  runs.flatMap((run) => validations(run).find((line) => line.step === step)?.accuracy ?? []);

/** @param {Variant} variant @param {Variant} other */
function differences(variant, other) {
  return variant.runs
    .flatMap((run) => {
      const same = other.runs.find(({ config }) => config.seed === run.config.seed);
      const [own, theirs] = [run, same].map((one) => one && validations(one).at(-1)?.accuracy);
      if (own === undefined || theirs === undefined) return [];
      return `${own < theirs ? "" : "+"}${(100 * (own - theirs)).toFixed(2)}`;
    })
    .join(", ");
}

/** @param {number[]} seeds */
const seedsText = (seeds) =>
  seeds.length === 1
    ? "**One seed: differences of a few points may be chance.**"
    : `Seeds ${seeds.join(", ")}: mean ± standard deviation over seeds. They share the language model, so its own chance is not in the spread.`;

const mean = (/** @type {number[]} */ values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** @param {number[]} values @param {number} scale @param {number} digits @param {string} unit */
function figure(values, scale, digits, unit) {
  const middle = mean(values);
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1));
  const spread = values.length > 1 ? ` ± ${(scale * deviation).toFixed(digits)}` : "";
  return `${(scale * middle).toFixed(digits)}${spread}${unit}`;
}

const percent = (/** @type {number} */ share) => (Number.isFinite(share) ? `${(100 * share).toFixed(1)} %` : "");

const count = (/** @type {number} */ value) => value.toLocaleString("en-US");

function main() {
  const [folder, out = "docs/results"] = process.argv.slice(2);
  if (!folder) {
    console.error("classification-page: needs a folder of runs: node tools/classification-page.mjs RUNS [OUT]");
    return 2;
  }
  const devices = join(folder, "devices.json");
  const adapter = existsSync(devices) ? JSON.parse(readFileSync(devices, "utf8")).adapter : {};
  const machine = [adapter.device, adapter.description].filter(Boolean).join(", ") || "not recorded";
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, "classification.md"), classificationPage(readRuns(folder), machine));
  console.log(`wrote ${join(out, "classification.md")}`);
  return 0;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) process.exitCode = main();
