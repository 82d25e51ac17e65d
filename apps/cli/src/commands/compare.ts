import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { writeWhole } from "@webmoe/trainer/node";
import { OutOfMemoryError } from "@webmoe/webgpu";
import color from "picocolors";
import { comparisonCharts } from "../compare/charts";
import { type Comparison, type Entry, summarise } from "../compare/comparison";
import { comparisonPage } from "../compare/page";
import { type CompareFlags, type ComparisonPlan, planComparison, runPath } from "../compare/plan-comparison";
import { finishedRun, runContestant } from "../compare/run-contestant";
import { sharedDevice } from "../compare/shared-device";
import { runTable, summaryTables } from "../compare/tables";
import { UsageError } from "../errors";
import { openDevice } from "../open-device";
import { RUNS } from "../run-model";
import { runName } from "../run-name";
import { STOPPING, stopSignal } from "../stop-signal";
import { duration, shortNumber } from "../terminal/format";
import { statusLine } from "../terminal/status-line";
import { COMMAND } from "../version";

/** What `compare` takes besides what is compared. */
export interface CompareOptions extends CompareFlags {
  out?: string;
  /** Seconds after which the run in progress is interrupted, to be gone on with later. */
  stopAfter?: number;
}

/** Train every router with every seed, what is done left out, and say what differs. */
export async function compareCommand(flags: CompareOptions): Promise<void> {
  const begun = performance.now();
  const signals = [stopSignal({ asked: () => console.log(color.yellow(`\n${STOPPING}`)) })];
  if (flags.stopAfter !== undefined) signals.push(AbortSignal.timeout(flags.stopAfter * 1000));
  const signal = AbortSignal.any(signals);
  const plan = await planComparison(flags);
  const out = flags.out ?? join(RUNS, runName(["compare", plan.contestants[0]!.config.preset]));
  const entries: Entry[] = plan.contestants.map((contestant) => ({ ...contestant, runs: [] }));
  for (const entry of entries) {
    for (const seed of plan.seeds) {
      const result = await finishedRun(runPath(out, entry.label, seed), { ...entry.config, seed });
      if (result) entry.runs.push(result);
    }
  }
  announce(plan, out);
  const failures = await runAll({ plan, entries, out, signal });
  const comparison = await write(out, entries, plan);
  if (comparison.done > 0) console.log(`\n${summaryTables(comparison)}`);
  const { done, planned } = comparison;
  const spent = duration((performance.now() - begun) / 1000);
  console.log(
    `\n${color.bold(done === planned ? "done" : "stopped")} in ${spent}, ${done} of ${planned} runs; see ${color.cyan(join(out, "compare.html"))}`,
  );
  if (done < planned) console.log(color.dim(`go on with: ${comparison.command}`));
  if (failures > 0) throw new Error(`compare: ${failures} run${failures === 1 ? "" : "s"} failed, see above`);
  if (signals[0]!.aborted) process.exitCode = 130;
}

interface Work {
  plan: ComparisonPlan;
  entries: Entry[];
  out: string;
  signal: AbortSignal;
}

/** All runs that are not done, seed by seed, on one device; resolves with how many failed. */
async function runAll({ plan, entries, out, signal }: Work): Promise<number> {
  const table = runTable(entries.map(({ label }) => label));
  console.log(table.head);
  const device = sharedDevice(() => openDevice(entries[0]!.config));
  let failures = 0;
  try {
    for (const seed of plan.seeds) {
      for (const { label, config, runs } of entries) {
        const before = runs.find((run) => run.seed === seed);
        if (before) {
          console.log(color.dim(table.row(label, before)));
          continue;
        }
        if (signal.aborted) return failures;
        const status = statusLine();
        status.show(`${label}, seed ${seed}: compiling kernels …`);
        try {
          const result = await runContestant({
            path: runPath(out, label, seed),
            config: { ...config, seed },
            open: device.lend,
            texts: plan.texts,
            signal,
            onStep: ({ step, loss, tokensPerSecond }) =>
              status.show(
                `${label}, seed ${seed}: step ${step}/${config.train.steps}  loss ${loss.toFixed(3)}  ${shortNumber(tokensPerSecond)} tokens/s`,
              ),
          });
          status.clear();
          if (!result) return failures;
          runs.push(result);
          runs.sort((a, b) => plan.seeds.indexOf(a.seed) - plan.seeds.indexOf(b.seed));
          console.log(table.row(label, result));
          await write(out, entries, plan);
        } catch (error) {
          status.clear();
          if (error instanceof UsageError || !device.isOpen) throw error;
          failures++;
          const { message } = error as Error;
          // What does not fit into memory comes with settings that do.
          const said = error instanceof OutOfMemoryError ? message : message.split("\n")[0]!;
          console.log(table.failure(label, seed, said));
          // What a failed run left on the device, or the device itself, is gone with it.
          device.close();
        }
      }
    }
    return failures;
  } finally {
    device.close();
  }
}

/** Write what is known so far, and return it. */
async function write(out: string, entries: Entry[], plan: ComparisonPlan): Promise<Comparison> {
  const { seeds, match, baseline } = plan;
  const comparison = summarise(entries, { seeds, match, baseline, command: sameCommand(out) });
  await mkdir(out, { recursive: true });
  await writeWhole(join(out, "compare.json"), `${JSON.stringify(comparison, null, 2)}\n`);
  await writeWhole(join(out, "compare.html"), comparisonPage(comparison));
  for (const [name, svg] of Object.entries(comparisonCharts(comparison))) await writeWhole(join(out, name), svg);
  return comparison;
}

function announce({ contestants, seeds, baseline, texts }: ComparisonPlan, out: string): void {
  const { config } = contestants.find(({ label }) => label === baseline)!;
  const { model, moe, batch, train, data } = config;
  const perStep = batch.size * batch.accumulate * model.context;
  const lines = [
    `${color.bold("model")}    ${config.preset}: ${model.layers} layers, width ${model.dim}, ${moe.experts} experts, top ${moe.topK}`,
    `${color.bold("data")}     ${data}: ${shortNumber(texts.data.train.length)} tokens to train on, ${shortNumber(texts.data.validation.length)} to validate`,
    `${color.bold("runs")}     ${contestants.length} routers x ${seeds.length} seeds, ${train.steps} steps of ${perStep} tokens each, in ${color.cyan(out)}`,
    ...contestants.flatMap(({ label, note }) => (note ? [`${color.bold("match")}    ${label}: ${note}`] : [])),
  ];
  console.log(`${lines.join("\n")}\n`);
}

/** The command that goes on with this comparison, however long it takes. */
function sameCommand(out: string): string {
  const words = process.argv.slice(2).flatMap((word, index, all) => {
    const isLimit = word === "--stop-after" || all[index - 1] === "--stop-after" || word.startsWith("--stop-after=");
    return isLimit ? [] : [/^[\w./:,=+@%-]+$/.test(word) ? word : JSON.stringify(word)];
  });
  const hasOut = words.some((word) => word === "--out" || word.startsWith("--out="));
  return [COMMAND, ...words, ...(hasOut ? [] : ["--out", out])].join(" ");
}
