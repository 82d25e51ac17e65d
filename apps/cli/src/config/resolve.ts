import { resolve } from "node:path";
import { type PresetName, presets } from "@webmoe/model";
import { didYouMean, didYouMeanKey } from "../did-you-mean";
import { UsageError } from "../errors";
import { isRouterFile } from "../router-file";
import { settingKeys, valueAt } from "./keys";
import { presetConfig } from "./presets";
import { type GivenValue, readConfigFile } from "./read-file";
import { type Config, configSchema } from "./schema";

/** What the command line says about the configuration. */
export interface ConfigFlags {
  /** Default: the file's, else nano. */
  preset?: string;
  /** Path of a YAML or JSON file. */
  config?: string;
  router?: string;
  data?: string;
  task?: string;
  /** Parts that do not learn, separated by commas. */
  freeze?: string;
  steps?: number;
  seed?: number;
  adapter?: string;
  onNan?: string;
  /** "a.b=c" */
  set: string[];
}

/** A preset, then `base`, the values of `--config`, flags, and `--set`, checked against the schema. */
export function resolveConfig(flags: ConfigFlags, base: Partial<Config> = {}): Config {
  const { preset, sources } = givenValues({ ...flags, preset: flags.preset ?? base.preset });
  const config = { ...presetConfig(preset), ...structuredClone(base) };
  const { dim: presetDim } = config.router;
  const presetWidth = config.model.dim;
  for (const source of sources) applyValues(config, source);
  const given = sources.flat();
  // The router's width of a preset goes with its model's width; in another model the router has its own default.
  const routerDimIsSet = given.some(({ key }) => key === "router.dim");
  if (config.model?.dim !== presetWidth && config.router?.dim === presetDim && !routerDimIsSet)
    delete config.router.dim;
  const checked = checkedConfig(config, given);
  // A run can be sampled from another folder than it was trained in.
  if (isRouterFile(checked.router.name)) checked.router.name = resolve(checked.router.name);
  checkBatch(checked);
  if (checked.task === "classify") resolveExamples(checked);
  if (checked.tokenizer.file) checked.tokenizer.file = resolve(checked.tokenizer.file);
  if (checked.schedule.warmup > checked.train.steps) checked.schedule.warmup = checked.train.steps;
  return checked;
}

/** Tokens of a micro-batch from which on no device binds what they become; the host would have the batches before it is asked. */
const MOST_TOKENS = 2 ** 24;

function checkBatch({ batch, model }: Config): void {
  const most = Math.max(1, Math.floor(MOST_TOKENS / model.context));
  if (batch.size <= most) return;
  throw new UsageError(
    `batch.size: needs at most ${most} sequences of model.context ${model.context}, got ${batch.size}: more go into batch.accumulate`,
  );
}

/** Examples are spam, unless something else is meant. */
function resolveExamples(config: Config): void {
  if (config.data === "moby-dick") config.data = "spam";
}

/** The dotted keys that the file and the command line set, whatever the preset has. */
export function givenKeys(flags: ConfigFlags): Set<string> {
  return new Set(givenValues(flags).sources.flatMap((source) => source.map(({ key }) => key)));
}

/** Check a configuration, for example one read from a run folder. `given` tells errors where a value was said. */
export function checkedConfig(config: unknown, given: GivenValue[] = []): Config {
  // Runs from before there was a choice are of bytes.
  const before = { documents: {}, tokenizer: { name: "bytes" } };
  const result = configSchema.safeParse(typeof config === "object" ? { ...before, ...config } : config);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const key = issue!.path.join(".");
  const from = given.findLast((value) => value.key === key)?.from;
  const where = from ? `${from}: ${key}` : key || "config";
  if (issue!.code === "unrecognized_keys") {
    const unknown = [...issue!.path, issue!.keys[0]].join(".");
    throw new UsageError(`config: there is no key "${unknown}"${didYouMeanKey(unknown, KNOWN_KEYS)}`);
  }
  const value = valueAt(config, issue!.path);
  const options = issue!.code === "invalid_value" ? issue!.values.map(String) : [];
  const hint = options.length > 1 && typeof value === "string" ? didYouMean(value, options) : "";
  const message = issue!.message.replace(/^Invalid (input|option): /, "");
  throw new UsageError(`${where}: ${message} (got ${JSON.stringify(value)})${hint}`);
}

/** The preset, and values by where they come from: what comes later wins. */
function givenValues(flags: ConfigFlags): { preset: PresetName; sources: GivenValue[][] } {
  const file = flags.config === undefined ? [] : readConfigFile(flags.config);
  const ofFile = file.find(({ key }) => key === "preset");
  const preset = flags.preset ?? ofFile?.value ?? "nano";
  if (typeof preset !== "string" || !Object.hasOwn(presets, preset)) {
    const who = flags.preset === undefined ? `${ofFile!.from}: preset` : "--preset";
    const names = Object.keys(presets);
    const hint = typeof preset === "string" ? didYouMean(preset, names) : "";
    throw new UsageError(`${who}: needs one of ${names.join(", ")}, got ${JSON.stringify(preset)}${hint}`);
  }
  const { router, data, task, steps, seed, adapter, onNan } = flags;
  const freeze = flags.freeze?.split(",").filter(Boolean);
  const named = {
    "router.name": router,
    data,
    task,
    freeze,
    "train.steps": steps,
    "train.onNan": onNan,
    seed,
    adapter,
  };
  return {
    preset: preset as PresetName,
    sources: [
      file.filter(({ key }) => key !== "preset"),
      Object.entries(named).flatMap(([key, value]) => (value === undefined ? [] : [{ key, value, from: "" }])),
      flags.set.map(parseSetting),
    ],
  };
}

function parseSetting(setting: string): GivenValue {
  const [key, ...rest] = setting.split("=");
  if (!key || rest.length === 0) throw new UsageError(`--set: needs key=value, got "${setting}"`);
  return { key, value: parseValue(rest.join("=")), from: "" };
}

/** JSON where the text is JSON (numbers, booleans, lists), else the text itself. */
function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const KNOWN_KEYS = settingKeys().flatMap(({ key }) => (key === "preset" ? [] : [key]));

function applyValues(config: Config, source: GivenValue[]): void {
  // Another router brings its own options, so its name comes before them.
  const isName = ({ key }: GivenValue) => key === "router.name";
  for (const given of [...source.filter(isName), ...source.filter((value) => !isName(value))]) {
    checkKey(given);
    const { key, value } = given;
    if (isName(given) && !(isRecurrent(value) && isRecurrent(config.router.name)))
      config.router = { name: value as string };
    else setValue(config, key.split("."), value);
  }
}

/** Routers with the recurrent stage share its options. */
const isRecurrent = (name: unknown) => typeof name === "string" && name.startsWith("recurrent");

function checkKey({ key, value, from }: GivenValue): void {
  if (KNOWN_KEYS.includes(key) || /^router(\.[a-z]\w*)+$/i.test(key)) return;
  const below = KNOWN_KEYS.filter((other) => other.startsWith(`${key}.`));
  if (below.length > 0) {
    throw new UsageError(
      `${from || "--set"}: ${key}: needs keys below it, as ${below[0]}, got ${JSON.stringify(value)}`,
    );
  }
  throw new UsageError(`${from || "--set"}: there is no key "${key}"${didYouMeanKey(key, KNOWN_KEYS)}`);
}

function setValue(config: object, path: string[], value: unknown): void {
  const last = path.at(-1)!;
  let parent = config as Record<string, unknown>;
  for (const name of path.slice(0, -1)) {
    const group = Object.hasOwn(parent, name) ? parent[name] : undefined;
    if (typeof group !== "object" || group === null) parent[name] = {};
    parent = parent[name] as Record<string, unknown>;
  }
  parent[last] = value;
}
