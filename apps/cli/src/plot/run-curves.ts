import { basename, join } from "node:path";
import { metricsLines } from "../metrics-lines";

/** A figure of a run over its steps. */
export interface Curve {
  /** Name of the run. */
  run: string;
  points: { x: number; y: number }[];
}

/** Figures of a run by name: `loss`, `lr`, `router.balanceLoss`, `validation.loss` and so on, as metrics.jsonl has them. */
export type RunCurves = Map<string, Curve["points"]>;

/** Read the figures of every step of a run; what is no finite number is left out. */
export async function runCurves(folder: string): Promise<RunCurves> {
  const curves: RunCurves = new Map();
  for await (const { step, split, ...figures } of metricsLines(join(folder, "metrics.jsonl"))) {
    for (const [name, value] of numbersIn(figures, split === undefined ? "" : `${split}.`)) {
      const points = curves.get(name) ?? [];
      curves.set(name, points);
      points.push({ x: step!, y: value });
    }
  }
  return curves;
}

/** Short names of runs that tell them apart. */
export function runNames(folders: string[]): string[] {
  const short = folders.map((folder) => basename(folder));
  return new Set(short).size === short.length ? short : folders;
}

function* numbersIn(figures: object, prefix: string): Generator<[name: string, value: number]> {
  for (const [key, value] of Object.entries(figures)) {
    if (typeof value === "number" && Number.isFinite(value)) yield [prefix + key, value];
    else if (typeof value === "object" && value !== null && !Array.isArray(value))
      yield* numbersIn(value, `${prefix}${key}.`);
  }
}
