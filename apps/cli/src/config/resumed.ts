import { UsageError } from "../errors";
import type { StartFlags } from "../start";
import { valueAt } from "./keys";
import { type ConfigFlags, givenKeys, resolveConfig } from "./resolve";
import type { Config } from "./schema";

/** Keys, and groups of them, that may be other than they were when a run goes on: the numbers of its steps stay the same. */
const MAY_CHANGE = ["train.steps", "train.onNan", "adapter", "log", "sample", "checkpoint"];

/**
 * The configuration that a run goes on with: its own, with what the flags say of things that may change. Another value of anything
 * else is an error that names it, since the run would not be what the flags ask for.
 */
export function resumedConfig(saved: Config, flags: ConfigFlags & StartFlags, run: string): Config {
  const config = structuredClone(saved);
  // A warm-up is cut to the steps that there are.
  const asked = resolveConfig({ ...flags, steps: saved.train.steps });
  const given = new Map<string, unknown>([
    ...[...givenKeys(flags)].map((key) => [key, valueAt(asked, key.split("."))] as const),
    ...(flags.preset === undefined ? [] : ([["preset", flags.preset]] as const)),
    ...(flags.initFrom === undefined ? [] : ([["start.from", flags.initFrom]] as const)),
    ...(flags.upcycle ? ([["start.upcycle", true]] as const) : []),
  ]);
  if (flags.steps !== undefined) given.set("train.steps", flags.steps);
  const other: string[] = [];
  for (const [key, value] of given) {
    const own = valueAt(saved, key.split("."));
    if (JSON.stringify(own) === JSON.stringify(value)) continue;
    if (MAY_CHANGE.some((name) => key === name || key.startsWith(`${name}.`))) change(config, key, value);
    else other.push(`${key} ${shown(own)} and not ${shown(value)}`);
  }
  if (other.length > 0) {
    throw new UsageError(
      `--resume: the run in "${run}" has ${other.join(", ")}: leave that out to go on with it, or start another with --init-from "${run}"`,
    );
  }
  return config;
}

function change(config: Config, key: string, value: unknown): void {
  const [first, second] = key.split(".") as [keyof Config, string | undefined];
  if (second === undefined) Object.assign(config, { [first]: value });
  else Object.assign(config[first] as object, { [second]: value });
}

const shown = (value: unknown) => (value === undefined ? "nothing" : JSON.stringify(value));
