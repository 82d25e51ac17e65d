import color from "picocolors";
import { flow } from "../terminal/flow";
import { presetConfig } from "./presets";
import type { Config } from "./schema";

/** The whole configuration, a line for each group; what differs from its preset is bold. */
export function configText(config: Config): string {
  const preset = presetConfig(config.preset as Parameters<typeof presetConfig>[0]) as Record<string, unknown>;
  const alone: string[] = [];
  const groups: string[] = [];
  for (const [name, value] of Object.entries(config)) {
    if (value === undefined) continue;
    if (!isGroup(value)) alone.push(entry(name, value, preset[name]));
    else {
      const before = (preset[name] ?? {}) as Record<string, unknown>;
      const entries = Object.entries(value).filter(([, part]) => part !== undefined);
      if (entries.length > 0)
        groups.push(
          row(
            name,
            entries.map(([key, part]) => entry(key, part, before[key])),
          ),
        );
    }
  }
  return [row("run", alone), ...groups].join("\n");
}

const row = (name: string, entries: string[]) => flow(`  ${color.dim(name.padEnd(11))}`, entries);

function entry(key: string, value: unknown, preset: unknown): string {
  const text = `${key} ${typeof value === "string" ? value : JSON.stringify(value)}`;
  return JSON.stringify(value) === JSON.stringify(preset) ? text : color.bold(text);
}

const isGroup = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);
