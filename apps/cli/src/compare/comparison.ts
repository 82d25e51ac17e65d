import type { ModelSize } from "@webmoe/model";
import type { Config } from "../config/schema";
import { type Interval, interval95, mean, standardDeviation } from "../statistics";
import { VERSION } from "../version";
import { folderName } from "./contestants";
import type { Match } from "./match";
import type { RunResult } from "./run-result";

/** A router of a comparison with the runs that are done. */
export interface Entry {
  label: string;
  config: Config;
  size: ModelSize;
  /** What `--match` did. */
  note?: string;
  runs: RunResult[];
}

/** How a comparison is made. */
export interface Plan {
  seeds: number[];
  match: Match;
  /** Label of the router that the others are compared with. */
  baseline: string;
  command: string;
}

/** A figure over seeds, and its paired difference to the baseline over the seeds that both have. */
export interface Figure {
  mean: number;
  /** Standard deviation of a sample; undefined for one seed. */
  deviation?: number;
  difference?: Interval & { seeds: number };
}

/** A point of a learning curve. */
export interface CurvePoint extends Figure {
  step: number;
}

/** What a comparison says of one router. */
export interface RouterSummary {
  label: string;
  router: Config["router"];
  note?: string;
  size: ModelSize;
  /** Seeds whose runs are done. */
  seeds: number[];
  /** At the step with the lowest validation loss of each run; undefined while there is no run. */
  validationLoss?: Figure;
  validation?: Figure;
  test?: Figure;
  bestSteps: number[];
  /** Validation in bits a byte. */
  curve: CurvePoint[];
  /** Median step in milliseconds, and what it is relative to the baseline's on the same kind of adapter. */
  msPerStep?: { mean: number; relative?: number };
  memory?: { bytes: number; relative?: number };
  runs: RunResult[];
}

/** Everything that `compare` found; `compare.json`. */
export interface Comparison {
  webmoe: string;
  /** What goes on with it, or shows it again. */
  command: string;
  /** The folder of each router's runs, below `runs`. */
  folders: Record<string, string>;
  complete: boolean;
  planned: number;
  done: number;
  baseline: string;
  match: Match;
  seeds: number[];
  /** With which configuration the baseline was trained. */
  config: Config;
  tokens: { perStep: number; perRun: number };
  adapters: string[];
  /** Why nothing follows from the figures, where that is so. */
  caveat?: string;
  routers: RouterSummary[];
}

/** Seeds that a conclusion needs. */
export const ENOUGH_SEEDS = 3;

/** Means, deviations and paired differences of the runs that are done. */
export function summarise(entries: Entry[], plan: Plan): Comparison {
  const baseline = entries.find(({ label }) => label === plan.baseline)!;
  const done = entries.reduce((sum, { runs }) => sum + runs.length, 0);
  const planned = entries.length * plan.seeds.length;
  const { batch, model, train } = baseline.config;
  const perStep = batch.size * batch.accumulate * model.context;
  return {
    webmoe: VERSION,
    complete: done === planned,
    planned,
    done,
    ...plan,
    folders: Object.fromEntries(entries.map(({ label }) => [label, folderName(label)])),
    config: baseline.config,
    tokens: { perStep, perRun: perStep * train.steps },
    adapters: [...new Set(entries.flatMap(({ runs }) => runs.map(({ adapter }) => adapter)))],
    caveat: caveatOf(plan.seeds.length),
    routers: entries.map((entry) => summaryOf(entry, baseline)),
  };
}

function caveatOf(seeds: number): string | undefined {
  if (seeds >= ENOUGH_SEEDS) return undefined;
  return `with ${seeds} seed${seeds === 1 ? "" : "s"} no conclusion can be drawn: give at least ${ENOUGH_SEEDS} with --seeds`;
}

function summaryOf({ label, config, size, note, runs }: Entry, baseline: Entry): RouterSummary {
  const figure = (of: (run: RunResult) => number | undefined) =>
    figureOf(runs, baseline.runs, of, label === baseline.label);
  const steps = runs[0]?.validations.map(({ step }) => step) ?? [];
  return {
    label,
    router: config.router,
    note,
    size,
    seeds: runs.map(({ seed }) => seed),
    validationLoss: figure((run) => run.best.validation.loss),
    validation: figure((run) => run.best.validation.bitsPerByte),
    test: figure((run) => run.best.test.bitsPerByte),
    bestSteps: runs.map(({ best }) => best.step),
    curve: steps.map((step) => ({
      step,
      ...figure((run) => run.validations.find((validation) => validation.step === step)?.bitsPerByte)!,
    })),
    msPerStep:
      runs.length === 0
        ? undefined
        : { mean: mean(runs.map((run) => run.msPerStep)), ...relative(runs, baseline.runs, (run) => run.msPerStep) },
    memory:
      runs.length === 0
        ? undefined
        : { bytes: Math.max(...runs.map((run) => run.memory)), ...relative(runs, baseline.runs, (run) => run.memory) },
    runs,
  };
}

function figureOf(
  runs: RunResult[],
  others: RunResult[],
  of: (run: RunResult) => number | undefined,
  isBaseline: boolean,
): Figure | undefined {
  const values = runs.map(of).filter((value) => value !== undefined);
  if (values.length === 0) return undefined;
  const differences = pairs(runs, others).map(([own, other]) => of(own)! - of(other)!);
  return {
    mean: mean(values),
    deviation: standardDeviation(values),
    ...(!isBaseline &&
      differences.length > 0 && { difference: { ...interval95(differences), seeds: differences.length } }),
  };
}

/** The mean ratio of a cost, over the seeds that both ran on one kind of adapter. */
function relative(runs: RunResult[], others: RunResult[], of: (run: RunResult) => number): { relative?: number } {
  const ratios = pairs(runs, others)
    .filter(([own, other]) => own.adapter === other.adapter)
    .map(([own, other]) => of(own) / of(other));
  return ratios.length === 0 ? {} : { relative: mean(ratios) };
}

/** Runs of one seed. */
function pairs(runs: RunResult[], others: RunResult[]): [RunResult, RunResult][] {
  return runs.flatMap((own) => {
    const other = others.find(({ seed }) => seed === own.seed);
    return other ? [[own, other] as [RunResult, RunResult]] : [];
  });
}

/** What a difference says: lower is better for losses. Undefined where nothing follows. */
export function verdict({ difference }: Figure): "lower" | "higher" | "no difference seen" | undefined {
  if (!difference || difference.seeds < ENOUGH_SEEDS) return undefined;
  if (difference.high! < 0) return "lower";
  return difference.low! > 0 ? "higher" : "no difference seen";
}
