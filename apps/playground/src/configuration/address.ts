// A configuration as the part of an address behind "#": what differs from the preset, under the keys of `--set`.

import { routerNamed } from "@webmoe/routers";
import {
  CODE,
  type Configuration,
  type PresetName,
  presetConfiguration,
  presetNames,
  routerChoice,
} from "./configuration";
import { flatten, valueAt, withValue } from "./dotted";
import { faults } from "./faults";
import { allFields } from "./fields";

/** What an address can say: one configuration or two that race, and the code of a router. */
export interface AddressContent {
  configuration: Configuration;
  rival?: Configuration;
  code?: string;
}

/** Before the keys of the second configuration of a race. */
const RIVAL = "rival.";

/** The part of an address behind "#". */
export function toAddress({ configuration, rival, code }: AddressContent): string {
  const said = new URLSearchParams();
  const say = (key: string, value: unknown) =>
    said.append(key, typeof value === "string" ? value : JSON.stringify(value));
  for (const [key, value] of changes(configuration, base(configuration))) say(key, value);
  if (rival) {
    say(`${RIVAL}router.name`, rival.router.name);
    for (const [key, value] of changes(rival, { ...configuration, router: base(rival).router })) {
      if (key !== "router.name") say(RIVAL + key, value);
    }
  }
  const coded = configuration.router.name === CODE || rival?.router.name === CODE;
  if (coded && code !== undefined) say("code", code);
  return said.toString();
}

/** What an address says; what it may not say is left as the preset has it. */
export function fromAddress(address: string): AddressContent {
  const said = [...new URLSearchParams(address.replace(/^#/, ""))];
  const own = said.filter(([key]) => !key.startsWith(RIVAL));
  const rival = said.filter(([key]) => key.startsWith(RIVAL)).map(([key, value]) => [key.slice(RIVAL.length), value]);
  const preset = own.find(([key]) => key === "preset")?.[1] as PresetName;
  const configuration = apply(presetConfiguration(presetNames.includes(preset) ? preset : "nano"), own);
  return {
    configuration,
    ...(rival.length > 0 && { rival: apply(configuration, rival as [string, string][]) }),
    code: own.find(([key]) => key === "code")?.[1],
  };
}

/** The default preset as it would be with the sizes of this one's, and with the options that its router starts with. */
function base({ preset, router }: Configuration): Configuration {
  const configuration = { ...presetConfiguration(preset), preset: presetNames[0] };
  const options = routerChoice(router.name, preset);
  return { ...configuration, router: { ...options, name: configuration.router.name } };
}

/** What a configuration has otherwise than another. */
function changes(configuration: Configuration, from: Configuration): [string, unknown][] {
  return flatten(configuration).filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(valueAt(from, key)));
}

function apply(start: Configuration, said: [string, string][]): Configuration {
  let configuration = start;
  const name = said.find(([key]) => key === "router.name")?.[1];
  if (name === CODE || (name && routerNamed(name))) {
    configuration = { ...configuration, router: routerChoice(name, configuration.preset) };
  }
  const known = new Map([...allFields.map(({ key }) => [key, 0] as const), ...flatten(start)]);
  for (const [key, text] of said) {
    if (key === "router.name" || key === "preset" || key === "code") continue;
    const value = parsed(text);
    const fits = key.startsWith("router.") || (known.has(key) && typeof value === typeof known.get(key));
    if (!fits) continue;
    const changed = withValue(configuration, key, value);
    if (!faults(changed)[key]) configuration = changed;
  }
  // Sizes may be wrong only together: then none of them holds.
  return Object.keys(faults(configuration)).length > 0 ? start : configuration;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
