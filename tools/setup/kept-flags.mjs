import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./places.mjs";

/**
 * Refuse a command line of which npm kept flags for itself: it does so without a `--` before them, and a `--dry-run` would train.
 * @param {Record<string, string | undefined>} env
 */
export function checkKeptFlags(env) {
  const kept = keptFlags(env);
  if (kept.length === 0) return;
  throw new Error(
    `npm kept ${kept.join(" and ")} for itself: write -- before what is not for npm, as npm run ${env.npm_lifecycle_event} -- … ${kept[0]}`,
  );
}

/**
 * Flags of the command line that npm took as settings of its own, which scripts find in their environment.
 * @param {Record<string, string | undefined>} env
 */
export function keptFlags(env) {
  if (!env.npm_config_user_agent?.startsWith("npm/")) return [];
  const reference = readFileSync(join(root, "docs/command-line.md"), "utf8");
  const flags = new Set([...reference.matchAll(/`(--[a-z-]+)/g)].map(([, flag]) => `${flag}`));
  return [...flags].filter((flag) => env[`npm_config_${flag.slice(2).replaceAll("-", "_")}`]);
}
