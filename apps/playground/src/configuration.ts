import { presets } from "@webmoe/model";
import { routerNamed } from "@webmoe/routers";

/** What the page trains with; everything else is what the preset says. */
export interface Configuration {
  /** Name of a router. */
  router: string;
  /** Number of experts of every layer, and how many of them a token meets. */
  experts: number;
  topK: number;
  steps: number;
  /** Peak learning rate. */
  lr: number;
  seed: number;
}

/** The preset that fits any adapter. */
export const preset = "nano";

/** What a number may be. */
export interface Range {
  min: number;
  max: number;
  whole: boolean;
}

export const ranges = {
  experts: { min: 1, max: 64, whole: true },
  topK: { min: 1, max: 8, whole: true },
  steps: { min: 1, max: 100_000, whole: true },
  lr: { min: 1e-6, max: 1, whole: false },
  seed: { min: 0, max: 2 ** 31 - 1, whole: true },
} satisfies Partial<Record<keyof Configuration, Range>>;

export type NumberKey = keyof typeof ranges;

export const defaults: Configuration = {
  router: "recurrent",
  experts: presets[preset].model.moe.experts,
  topK: presets[preset].model.moe.topK,
  steps: 300,
  lr: 3e-3,
  seed: 1,
};

/** What keeps a configuration from being trained, by its field; empty when nothing does. */
export function faults(configuration: Configuration): Partial<Record<NumberKey, string>> {
  const found: Partial<Record<NumberKey, string>> = {};
  for (const key of Object.keys(ranges) as NumberKey[]) {
    const { min, max, whole } = ranges[key];
    const value = configuration[key];
    const kind = whole ? "a whole number" : "a number";
    if (!(value >= min && value <= max) || (whole && !Number.isInteger(value))) {
      found[key] = `needs ${kind} from ${min} to ${max}`;
    }
  }
  if (!found.topK && !found.experts && configuration.topK > configuration.experts) {
    found.topK = `needs at most as many as there are experts, ${configuration.experts}`;
  }
  return found;
}

/** The part of an address behind "#": what differs from the defaults. */
export function toAddress(configuration: Configuration): string {
  const changes = Object.entries(configuration).filter(
    ([key, value]) => value !== defaults[key as keyof Configuration],
  );
  return new URLSearchParams(changes.map(([key, value]) => [key, String(value)])).toString();
}

/** The configuration of an address: the defaults, with what it says and a run can be made of. */
export function fromAddress(address: string): Configuration {
  const configuration = { ...defaults };
  const said = new URLSearchParams(address.replace(/^#/, ""));
  const router = said.get("router");
  if (router !== null && routerNamed(router)) configuration.router = router;
  for (const key of Object.keys(ranges) as NumberKey[]) {
    const value = said.get(key);
    if (value !== null && value.trim() !== "") configuration[key] = Number(value);
  }
  for (const key of Object.keys(faults(configuration)) as NumberKey[]) configuration[key] = defaults[key];
  return configuration;
}
