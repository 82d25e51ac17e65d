// Which changes of a run's settings make it fit into memory. Each is planned before it is named, so none is a guess. Changes
// that leave the result as it is come first: smaller micro-batches, then recomputation; then shorter sequences and smaller models.

import type { Model } from "@webmoe/model";
import type { Gpu } from "@webmoe/webgpu";
import { planTraining } from "./plan-training";
import type { TrainSettings } from "./settings";

/** Settings that differ from a run's, and what the run takes with them. */
export interface FittingSettings {
  /** Values by dotted key, as `batch.size`. */
  changes: Record<string, number | boolean>;
  /** What the change means, in a few words. */
  about: string;
  /** Bytes that training then takes. */
  bytes: number;
}

type Changes = FittingSettings["changes"];

/** Shortest sequences, and least width of experts, that are offered. */
const LEAST = { context: 32, hidden: 16 };

/** Up to `count` changes, of different kinds, with which training takes at most `limit` bytes; of each kind the smallest. */
export async function settingsThatFit(
  gpu: Gpu,
  model: Model,
  settings: TrainSettings,
  limit: number,
  count = 3,
): Promise<FittingSettings[]> {
  const fittingBytes = async (changes: Changes): Promise<number | undefined> => {
    try {
      const { memory } = await planTraining(gpu, ...changed(model, settings, changes));
      return memory.total <= limit ? memory.total : undefined;
    } catch {
      return undefined; // a tensor that cannot be bound, or sizes that do not go together
    }
  };
  const found: FittingSettings[] = [];
  for (const { about, ways } of kinds(model, settings)) {
    if (found.length === count) break;
    for (const steps of ways) {
      const first = await firstFitting(steps, fittingBytes);
      if (!first) continue;
      found.push({ ...first, about });
      break;
    }
  }
  return found;
}

/** The first of growing changes that fits, found by halving: each takes less memory than the one before. */
async function firstFitting(
  steps: Changes[],
  fittingBytes: (changes: Changes) => Promise<number | undefined>,
): Promise<{ changes: Changes; bytes: number } | undefined> {
  let [from, to] = [0, steps.length - 1];
  let best: { changes: Changes; bytes: number } | undefined;
  while (from <= to) {
    // The last one first: where it is not enough, none is.
    const middle = best ? Math.floor((from + to) / 2) : steps.length - 1;
    const bytes = await fittingBytes(steps[middle]!);
    if (bytes === undefined && !best) return undefined;
    if (bytes === undefined) from = middle + 1;
    else {
      best = { changes: steps[middle]!, bytes };
      to = middle - 1;
    }
  }
  return best;
}

/** Kinds of changes: ways to make each, in growing steps. */
function kinds({ config }: Model, { batch, memory }: TrainSettings): { about: string; ways: Changes[][] }[] {
  const pieces: Changes[] = divisors(batch.size).map((size) => ({
    "batch.size": size,
    "batch.accumulate": (batch.accumulate * batch.size) / size,
  }));
  const recompute: Changes = memory.recompute ? {} : { "memory.recompute": true };
  /** A smaller size, by itself or with all that leaves the result as it is. */
  const smaller = (key: string, value: number, least: number): Changes[][] => {
    const alone = sizesBelow(value, least).map((size) => ({ [key]: size }));
    return [alone, alone.map((change) => ({ ...change, ...recompute, ...pieces.at(-1) }))];
  };
  const { context, layers, moe } = config;
  return [
    { about: "the same steps in smaller pieces", ways: [pieces] },
    {
      about: "the same numbers for a third more work",
      ways: memory.recompute ? [] : [[recompute, ...pieces.map((piece) => ({ ...recompute, ...piece }))]],
    },
    { about: "shorter sequences", ways: smaller("model.context", context, LEAST.context) },
    { about: "fewer layers", ways: smaller("model.layers", layers, 1) },
    { about: "narrower experts", ways: smaller("moe.hidden", moe.hidden, LEAST.hidden) },
    { about: "fewer experts", ways: smaller("moe.experts", moe.experts, moe.topK) },
  ];
}

function changed(model: Model, settings: TrainSettings, changes: Changes): [Model, TrainSettings] {
  const sizes: Record<string, number> = {};
  const moe: Record<string, number> = {};
  const next = { ...settings, batch: { ...settings.batch }, memory: { ...settings.memory } };
  for (const [key, value] of Object.entries(changes)) {
    const [group, name] = key.split(".") as [string, string];
    const target = { model: sizes, moe, batch: next.batch, memory: next.memory }[group]!;
    (target as Record<string, unknown>)[name] = value;
  }
  return [model.resized({ ...sizes, moe: { ...model.config.moe, ...moe } }), next];
}

/** Whole numbers below `value` that divide it, the largest first. */
function divisors(value: number): number[] {
  return Array.from({ length: value - 1 }, (_, index) => value - 1 - index).filter((size) => value % size === 0);
}

/** 3/4, 1/2, 3/8, 1/4 and so on of a size, as far as they are whole, down to `least`. */
function sizesBelow(value: number, least: number): number[] {
  const sizes = Array.from({ length: 24 }, (_, n) => value * (n % 2 === 0 ? 0.75 : 0.5) * 0.5 ** Math.floor(n / 2));
  return sizes.filter((size) => Number.isInteger(size) && size >= least);
}
