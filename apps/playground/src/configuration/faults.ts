import { checkConfig } from "@webmoe/model";
import { routerNamed } from "@webmoe/routers";
import { config as zodConfig } from "zod";
import { CODE, type Configuration } from "./configuration";
import { valueAt } from "./dotted";
import { allFields, type NumberField } from "./fields";

// Without this zod tries whether it may compile code, which the page's content-security policy forbids and reports.
zodConfig({ jitless: true });

/** What keeps a configuration from being trained, by its dotted key; empty when nothing does. */
export function faults(configuration: Configuration): Record<string, string> {
  const found: Record<string, string> = {};
  for (const field of allFields) {
    const fault = numberFault(field, valueAt(configuration, field.key));
    if (fault) found[field.key] = fault;
  }
  Object.assign(found, routerFaults(configuration));
  if (Object.keys(found).length > 0) return found;
  try {
    checkConfig({ ...configuration.model, moe: configuration.moe });
  } catch (error) {
    const [key, ...message] = (error as Error).message.split(": ");
    found[key!] = message.join(": ");
  }
  return found;
}

function numberFault({ min, max, whole, empty }: NumberField, value: unknown): string | undefined {
  if (value === undefined && empty) return undefined;
  const fits = typeof value === "number" && value >= min && value <= max && (!whole || Number.isInteger(value));
  return fits ? undefined : `needs ${whole ? "a whole number" : "a number"} from ${min} to ${max}`;
}

function routerFaults({ router: { name, ...options } }: Configuration): Record<string, string> {
  if (name === CODE) return {};
  const named = routerNamed(name);
  if (!named) return { "router.name": `there is no router "${name}"` };
  const issues = named.options.safeParse(options).error?.issues ?? [];
  return Object.fromEntries(
    issues.map((issue) => {
      const unknown = issue.code === "unrecognized_keys" ? issue.keys.slice(0, 1) : [];
      const key = ["router", ...issue.path, ...unknown].join(".");
      return [
        key,
        unknown.length > 0 ? "this router has no such option" : issue.message.replace(/^Invalid input: /, ""),
      ];
    }),
  );
}
