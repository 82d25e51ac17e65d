// From flags to what is going to be run: a configuration for each router, sizes matched, and texts that all share.

import { join } from "node:path";
import { splitTokens } from "@webmoe/data";
import { type ModelSize, measureModel } from "@webmoe/model";
import { languageTask } from "@webmoe/trainer";
import { type ConfigFlags, givenKeys, resolveConfig } from "../config/resolve";
import type { Config } from "../config/schema";
import { UsageError } from "../errors";
import { bytesOfHeldOut, trainingData, vocabOf } from "../run-data";
import { makeModel } from "../run-model";
import { newTokenizer, openText, tokenizeText } from "../run-text";
import { type Contestant, contestantWith, folderName, parseContestants } from "./contestants";
import { MATCHES, type Match, matchSize } from "./match";
import type { ComparisonData } from "./run-contestant";

/** What the command line says about a comparison. */
export interface CompareFlags {
  routers: string;
  seeds: string;
  match: string;
  baseline?: string;
  preset?: string;
  config?: string;
  data?: string;
  steps?: number;
  adapter?: string;
  set: string[];
}

/** A router with its configuration, but for the seed. */
export interface Planned {
  label: string;
  config: Config;
  size: ModelSize;
  note?: string;
}

/** A comparison before its first run. */
export interface ComparisonPlan {
  contestants: Planned[];
  seeds: number[];
  match: Match;
  baseline: string;
  texts: ComparisonData;
}

/** How often runs are validated unless told. */
const VALIDATIONS = 10;

/** Resolve the flags; every mistake that can be found without a device is found here. */
export async function planComparison(flags: CompareFlags): Promise<ComparisonPlan> {
  const contestants = parseContestants(flags.routers);
  const seeds = parseSeeds(flags.seeds);
  const match = parseMatch(flags.match);
  const baseline = flags.baseline === undefined ? contestants[0]! : contestantWith(flags.baseline, contestants);
  const configs = new Map(contestants.map((contestant) => [contestant, configOf(contestant, flags)]));
  const first = configs.get(baseline)!;
  if (first.task !== "language") throw new UsageError(`compare: needs the task language, got ${first.task}`);
  const given = givenKeys(withoutRouters(flags));
  const corpus = await openText(first);
  const tokenizer = await newTokenizer(first, corpus);
  for (const config of configs.values()) config.model.vocab = vocabOf(config, tokenizer, given);
  const target = measureModel(await makeModel(first, () => {}));
  const planned: Planned[] = [];
  for (const [contestant, config] of configs) {
    await makeModel(config); // says which options mean nothing to it
    const matched = await matchSize(config, contestant === baseline ? "none" : match, target);
    planned.push({ label: contestant.label, ...matched });
  }
  const texts = await heldOutTexts(first, await tokenizeText(first, corpus, tokenizer), tokenizer);
  return { contestants: planned, seeds, match, baseline: baseline.label, texts };
}

/** Where the run of a router with a seed is kept. */
export function runPath(out: string, label: string, seed: number): string {
  return join(out, "runs", folderName(label), `seed-${seed}`);
}

function configOf({ router, options }: Contestant, flags: CompareFlags): Config {
  const common = withoutRouters(flags);
  const own = options.map((option) => `router.${option}`);
  const config = resolveConfig({ ...common, router, set: [...common.set, ...own] });
  if (!givenKeys(common).has("validation.every")) config.validation.every = Math.ceil(config.train.steps / VALIDATIONS);
  return config;
}

/** The flags that are the same for all routers. */
function withoutRouters({ preset, config, data, steps, adapter, set }: CompareFlags): ConfigFlags {
  return { preset, config, data, steps, adapter, set };
}

/** Of the tenth of the text that no run trains on, the first half validates and the second tests. */
async function heldOutTexts(
  config: Config,
  text: Awaited<ReturnType<typeof tokenizeText>>,
  tokenizer: ComparisonData["tokenizer"],
): Promise<ComparisonData> {
  const { validation: heldOut, ...training } = trainingData(text, config);
  const { train: validation, validation: test } = splitTokens(heldOut, 0.5);
  const { context } = config.model;
  if (test.length < context + 1) {
    throw new UsageError(
      `data: comparing needs at least ${20 * (context + 1)} tokens for model.context ${context} (a twentieth is for the test), got ${text.tokens.length}`,
    );
  }
  return {
    data: { ...training, validation, bytesPerToken: bytesOfHeldOut(validation, text, tokenizer, config) },
    test: languageTask(
      { train: test, validation: test, bytesPerToken: bytesOfHeldOut(test, text, tokenizer, config) },
      { batch: config.batch.size, context, batches: config.validation.batches },
    ),
    padded: text.documents !== undefined,
    tokenizer,
  };
}

function parseSeeds(text: string): number[] {
  const seeds = text.split(",").map((part) => (/^\s*\d+\s*$/.test(part) ? Number(part) : Number.NaN));
  if (seeds.some((seed) => !Number.isSafeInteger(seed))) {
    throw new UsageError(`--seeds: needs whole numbers between commas, got "${text}"`);
  }
  if (new Set(seeds).size < seeds.length) throw new UsageError(`--seeds: needs different numbers, got "${text}"`);
  return seeds;
}

function parseMatch(text: string): Match {
  const match = MATCHES.find((name) => name === text);
  if (!match) throw new UsageError(`--match: needs one of ${MATCHES.join(", ")}, got "${text}"`);
  return match;
}
