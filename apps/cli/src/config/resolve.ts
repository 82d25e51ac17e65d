import { resolve } from "node:path";
import { type PresetName, presets } from "@webmoe/model";
import { z } from "zod";
import { didYouMean } from "../did-you-mean";
import { UsageError } from "../errors";
import { isRouterFile } from "../router-file";
import { presetConfig } from "./presets";
import { type Config, configSchema } from "./schema";

/** What the command line says about the configuration. */
export interface ConfigFlags {
  preset: string;
  router?: string;
  data?: string;
  steps?: number;
  seed?: number;
  adapter?: string;
  /** "a.b=c" */
  set: string[];
}

/** The configuration of a preset with the flags and `--set` applied, checked against the schema. */
export function resolveConfig(flags: ConfigFlags): Config {
  if (!(flags.preset in presets)) {
    throw new UsageError(
      `--preset: needs one of ${Object.keys(presets).join(", ")}, got "${flags.preset}"${didYouMean(flags.preset, Object.keys(presets))}`,
    );
  }
  const config = presetConfig(flags.preset as PresetName);
  const { name: presetRouter, dim: presetDim } = config.router;
  if (flags.router?.startsWith(presetRouter)) config.router.name = flags.router;
  else if (flags.router) config.router = { name: flags.router };
  if (flags.data !== undefined) config.data = flags.data;
  if (flags.steps !== undefined) config.train.steps = flags.steps;
  if (flags.seed !== undefined) config.seed = flags.seed;
  if (flags.adapter !== undefined) config.adapter = flags.adapter;
  const presetWidth = config.model.dim;
  for (const setting of flags.set) applySetting(config, setting);
  // The router's width of a preset goes with its model's width; in another model the router has its own default.
  const routerDimIsSet = flags.set.some((setting) => setting.startsWith("router.dim="));
  if (config.model.dim !== presetWidth && config.router.dim === presetDim && !routerDimIsSet) delete config.router.dim;
  // A run can be sampled from another folder than it was trained in.
  if (isRouterFile(config.router.name)) config.router.name = resolve(config.router.name);
  if (config.tokenizer.file) config.tokenizer.file = resolve(`${config.tokenizer.file}`);
  if (config.schedule.warmup > config.train.steps) config.schedule.warmup = config.train.steps;
  return checkedConfig(config);
}

/** Check a configuration, for example one read from a run folder. */
export function checkedConfig(config: unknown): Config {
  // Runs from before there was a choice are of bytes.
  const before = { documents: {}, tokenizer: { name: "bytes" } };
  const result = configSchema.safeParse(isObject(config) ? { ...before, ...config } : config);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const path = issue!.path.join(".");
  throw new UsageError(
    `${path || "config"}: ${issue!.message.replace(/^Invalid input: /, "")} (got ${JSON.stringify(at(config, issue!.path))})`,
  );
}

const isObject = (value: unknown) => typeof value === "object" && value !== null;

function applySetting(config: Config, setting: string): void {
  const [key, ...rest] = setting.split("=");
  if (!key || rest.length === 0) throw new UsageError(`--set: needs key=value, got "${setting}"`);
  const known = settings().map((setting) => setting.key);
  if (!known.includes(key) && !key.startsWith("router.")) {
    throw new UsageError(`--set: there is no key "${key}"${didYouMean(key, known)}`);
  }
  const path = key.split(".");
  const last = path.pop()!;
  let parent = config as unknown as Record<string, unknown>;
  for (const name of path) {
    parent[name] ??= {};
    parent = parent[name] as Record<string, unknown>;
  }
  parent[last] = parseValue(rest.join("="));
}

/** A dotted key that `--set` takes, with its meaning. */
export interface SettingKey {
  key: string;
  description: string;
}

/** Every dotted key that `--set` takes. */
export function settings(schema: z.ZodObject = configSchema as unknown as z.ZodObject, prefix = ""): SettingKey[] {
  return Object.entries(schema.shape).flatMap(([name, field]) => {
    if (field instanceof z.ZodObject) return settings(field, `${prefix}${name}.`);
    const key = `${prefix}${name}`;
    return key === "preset" ? [] : [{ key, description: (field as z.ZodType).description ?? "" }];
  });
}

/** JSON where the text is JSON (numbers, booleans, lists), else the text itself. */
function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function at(value: unknown, path: PropertyKey[]): unknown {
  return path.reduce<unknown>((branch, key) => (branch as Record<PropertyKey, unknown> | undefined)?.[key], value);
}
