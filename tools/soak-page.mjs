// docs/results/soak.md from soaks: `node tools/soak-page.mjs SOAKS [OUT]`, where SOAKS holds what `webmoe soak --json` printed, a file
// for each run, of one configuration on one machine. All of them are shown, in the order of their names.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { table } from "./markdown-table.mjs";

/**
 * @typedef {{ fast: number, median: number, mean: number }} Pace tokens a second
 * @typedef {{
 *   adapter: string, preset: string, steps: number, hostBytesPerStep: number, deviceBytesPerStep: number, fault?: string,
 *   tokensPerSecond: { first: Pace, last: Pace, change: number },
 * }} Soak
 */

/** The page of some soaks. @param {Soak[]} soaks */
export function soakPage(soaks) {
  const first = soaks[0];
  if (!first) throw new Error("soak-page: needs what webmoe soak --json printed, got none");
  for (const key of /** @type {const} */ (["adapter", "preset", "steps"])) {
    const other = soaks.find((soak) => soak[key] !== first[key]);
    if (other) throw new Error(`soak-page: needs soaks of one ${key}, got ${first[key]} and ${other[key]}`);
  }
  const { adapter, preset, steps } = first;
  const passed = soaks.filter(({ fault }) => !fault).length;
  return `${[
    "# Soak",
    `${count(steps)} steps of \`${preset}\`: ${passed} of ${soaks.length} runs pass. Written by \`tools/soak-page.mjs\`.`,
    `Machine: ${adapter}.`,
    `\`\`\`sh\nwebmoe soak --json --steps ${steps}\n\`\`\``,
    "A run passes where memory of the process and of the device grows by less than 1,024 bytes a step after the first 200, and " +
      "speed changes by less than 5 % from beginning to end. Speed is compared by the fastest tenth of stretches of 20 steps in the first and " +
      "in the last quarter, which others on the machine do not slow; [pace.ts](../../apps/cli/src/soak/pace.ts) argues why.",
    table(
      ["run", "host, bytes a step", "device", "first quarter, tokens/s", "last quarter", "change", "passes"],
      soaks.map(({ hostBytesPerStep, deviceBytesPerStep, tokensPerSecond, fault }, index) => [
        `${index + 1}`,
        count(Math.round(hostBytesPerStep)),
        count(Math.round(deviceBytesPerStep)),
        thousands(tokensPerSecond.first.fast),
        thousands(tokensPerSecond.last.fast),
        percent(tokensPerSecond.change),
        fault ?? "yes",
      ]),
    ),
    "Medians and means of the same stretches tell how busy the machine was besides:",
    table(
      ["run", "median, first quarter", "last", "change", "mean, first quarter", "last", "change"],
      soaks.map(({ tokensPerSecond: { first, last } }, index) => [
        `${index + 1}`,
        .../** @type {const} */ (["median", "mean"]).flatMap((of) => [
          thousands(first[of]),
          thousands(last[of]),
          percent(last[of] / first[of] - 1),
        ]),
      ]),
    ),
  ].join("\n\n")}\n`;
}

const count = (/** @type {number} */ value) => value.toLocaleString("en-US");

const thousands = (/** @type {number} */ value) => `${Math.round(value / 1000)}k`;

const percent = (/** @type {number} */ share) => `${share < 0 ? "" : "+"}${(100 * share).toFixed(1)} %`;

function main() {
  const [folder, out = "docs/results"] = process.argv.slice(2);
  if (!folder) {
    console.error("soak-page: needs a folder of soaks: node tools/soak-page.mjs SOAKS [OUT]");
    return 2;
  }
  const names = readdirSync(folder).filter((name) => name.endsWith(".json"));
  const soaks = names.sort().map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")));
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, "soak.md"), soakPage(soaks));
  console.log(`wrote ${join(out, "soak.md")}`);
  return 0;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) process.exitCode = main();
