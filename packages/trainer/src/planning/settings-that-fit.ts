// Which changes of a run's settings make it fit into memory. Each is planned before it is named, so none is a guess. Changes
// that leave the result as it is come first: smaller micro-batches, then recomputation; then rounding, shorter sequences and
// smaller models, at last a model that is smaller in every direction. Planning takes time in proportion to the layers, and memory is
// so nearly in proportion to them that deep models are searched by what two shallow ones take.

import type { Model } from "@webmoe/model";
import type { Gpu } from "@webmoe/webgpu";
import type { TrainSettings } from "../settings";
import { planTraining } from "./plan-training";
import { atDepth, shallowModel } from "./shallow-model";

/** Settings that differ from a run's, and what the run takes with them. */
export interface FittingSettings {
  /** Values by dotted key, as `batch.size`. */
  changes: Record<string, number | boolean | string>;
  /** What the change means, in a few words. */
  about: string;
  /** Bytes that training then takes. */
  bytes: number;
}

type Changes = FittingSettings["changes"];

/** Layers of the two models by which deeper ones are searched, and layers from which on they are. */
const [FEW, MORE, DEEP] = [4, 8, 24];

/** Shortest sequences, and least width of experts, that are offered. */
const LEAST = { context: 32, hidden: 16 };

/** Up to `count` changes, of different kinds, with which training takes at most `limit` bytes; of each kind the smallest. */
export async function settingsThatFit(
  gpu: Gpu,
  model: Model,
  settings: TrainSettings,
  limit: number,
  count: number,
): Promise<FittingSettings[]> {
  const fitting = (bytesOf: typeof plannedBytes) => async (changes: Changes) => {
    try {
      const bytes = await bytesOf(gpu, ...changed(model, settings, changes));
      return bytes <= limit ? bytes : undefined;
    } catch {
      return undefined; // a tensor that cannot be bound, or sizes that do not go together
    }
  };
  const [likely, sure] = [fitting(likelyBytes), fitting(plannedBytes)];
  const found: FittingSettings[] = [];
  for (const { about, ways } of kinds(model, settings, gpu.target.matrixUnits)) {
    if (found.length === count) break;
    for (const steps of ways) {
      const guess = await firstFitting(steps, likely);
      if (!guess) continue;
      const bytes = await sure(guess.changes);
      const first = bytes === undefined ? await firstFitting(steps, sure) : { ...guess, bytes };
      if (!first) continue;
      found.push({ ...first, about });
      break;
    }
  }
  return found;
}

async function plannedBytes(gpu: Gpu, model: Model, settings: TrainSettings): Promise<number> {
  return (await planTraining(gpu, model, settings)).memory.total;
}

/** What a model takes, or a deep one by what two shallow ones do. */
async function likelyBytes(gpu: Gpu, model: Model, settings: TrainSettings): Promise<number> {
  const { layers } = model.config;
  if (layers < DEEP) return plannedBytes(gpu, model, settings);
  const bytesAt = (depth: number) => plannedBytes(gpu, shallowModel(model, depth), settings);
  return atDepth({ few: FEW, more: MORE }, await bytesAt(FEW), await bytesAt(MORE), layers);
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
function kinds(
  { config }: Model,
  { batch, memory, precision, ema }: TrainSettings,
  matrixUnits: boolean,
): { about: string; ways: Changes[][] }[] {
  const pieces: Changes[] = divisors(batch.size).map((size) => ({
    "batch.size": size,
    "batch.accumulate": (batch.accumulate * batch.size) / size,
  }));
  const recompute: Changes = memory.recompute ? {} : { "memory.recompute": true };
  /** All that leaves the result as it is. */
  const free: Changes = { ...recompute, ...pieces.at(-1) };
  /** A change in growing steps, by itself or with all that leaves the result as it is. */
  const orFree = (steps: Changes[]): Changes[][] => [steps, steps.map((change) => ({ ...change, ...free }))];
  const { context, layers, dim, heads, moe } = config;
  const sizes: Record<string, number[]> = {
    "model.context": sizesBelow(context, LEAST.context),
    "model.layers": sizesBelow(layers, 1),
    "moe.hidden": sizesBelow(moe.hidden, LEAST.hidden),
    "moe.experts": sizesBelow(moe.experts, moe.topK),
    // Rotary attention turns pairs, so a head has an even width.
    "model.dim": sizesBelow(dim, 2 * heads).filter((size) => size % (2 * heads) === 0),
  };
  const smaller = (key: string) => orFree(sizes[key]!.map((size) => ({ [key]: size })));
  const most = Math.max(...Object.values(sizes).map(({ length }) => length));
  /** The nth step of every size, or its last. */
  const everything = Array.from({ length: most }, (_, n) =>
    Object.fromEntries(
      Object.entries(sizes).flatMap(([key, all]) => (all.length > 0 ? [[key, all[n] ?? all.at(-1)!]] : [])),
    ),
  );
  return [
    { about: "the same steps in smaller pieces", ways: [pieces] },
    {
      about: "the same numbers for a third more work",
      ways: memory.recompute ? [] : [[recompute, ...pieces.map((piece) => ({ ...recompute, ...piece }))]],
    },
    { about: "without averaged weights", ways: ema.decay > 0 ? orFree([{ "ema.decay": 0 }]) : [] },
    {
      about: "products rounded to f16",
      ways: matrixUnits && precision === "f32" ? orFree([{ precision: "mixed" }]) : [],
    },
    { about: "shorter sequences", ways: smaller("model.context") },
    { about: "fewer layers", ways: smaller("model.layers") },
    { about: "narrower experts", ways: smaller("moe.hidden") },
    { about: "fewer experts", ways: smaller("moe.experts") },
    { about: "a narrower model", ways: smaller("model.dim") },
    { about: "smaller in every direction", ways: orFree(everything) },
  ];
}

function changed(model: Model, settings: TrainSettings, changes: Changes): [Model, TrainSettings] {
  const [sizes, moe, next]: Record<string, unknown>[] = [{}, { ...model.config.moe }, { ...settings }];
  for (const [key, value] of Object.entries(changes)) {
    const [group, name] = key.split(".") as [string, string | undefined];
    if (group === "model") sizes![name!] = value;
    else if (group === "moe") moe![name!] = value;
    else next![group] = name ? { ...(next![group] as object), [name]: value } : value;
  }
  return [model.resized({ ...sizes, moe: moe as never }), next as unknown as TrainSettings];
}

/** Whole numbers below `value` that divide it, the largest first. */
function divisors(value: number): number[] {
  const upToRoot: number[] = [];
  for (let size = 1; size * size <= value; size++) if (value % size === 0) upToRoot.push(size);
  const above = upToRoot.map((size) => value / size);
  return [...new Set([...above, ...upToRoot.reverse()])].filter((size) => size < value);
}

/** 3/4, 1/2, 3/8, 1/4 and so on of a size, as far as they are whole, down to `least`. */
function sizesBelow(value: number, least: number): number[] {
  const sizes = Array.from({ length: 24 }, (_, n) => value * (n % 2 === 0 ? 0.75 : 0.5) * 0.5 ** Math.floor(n / 2));
  return sizes.filter((size) => Number.isInteger(size) && size >= least);
}
