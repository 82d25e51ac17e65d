// The page of a measurement: `node tools/speed/page.mjs speed.json > speed.md` writes it anew from its figures.

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { list, table } from "./markdown.mjs";
import { expertProducts, kernels } from "./page-kernels.mjs";
import { curves, experts, other } from "./page-runs.mjs";
import { against, allSteps, peers, profiles, routerCost } from "./page-steps.mjs";

/**
 * @typedef {Record<string, any> & { part: string, source: string }} Figure
 * @typedef {{ name: string, seconds: number, outcome: string, gpu?: import("./watch-gpu.mjs").GpuState }} PartOfRun
 * @typedef {{ date: string, command: string, machine: Record<string, string>, parts: PartOfRun[], results: Figure[] }} Speed
 */

/** @param {Speed} speed @returns {string} */
export function speedPage({ date, command, machine, parts, results }) {
  const of = (/** @type {string} */ source) => results.filter((result) => result.source === source);
  const adapter = results.find((result) => result.adapter)?.adapter ?? "";
  const torch = of("torch versions")[0]?.versions;
  const sections = [
    "# Speed",
    `One run on one machine, ${date} UTC. Written by \`tools/speed\`, from figures in [speed.json](speed.json).`,
    list([
      ["GPU", [machine.gpu, adapter && `adapter ${adapter}`].filter(Boolean).join("; ")],
      ["CPU", machine.cpu],
      ["versions", [`Node ${machine.node}`, `webmoe ${machine.webmoe}`, torch].filter(Boolean).join(", ")],
      ["command", `\`${command}\``],
    ]),
    movingClock(parts),
    ...against(of("steps"), of("torch")),
    ...peers(results),
    ...routerCost(of("steps"), of("torch")),
    ...allSteps(of("steps")),
    ...curves(of("curve")),
    ...experts(of("experts")),
    ...other(results),
    ...expertProducts(of("kernels")),
    ...kernels(of("kernels")),
    ...profiles(of("steps")),
    "## Parts of this run",
    ...partsOfRun(parts),
  ];
  return `${sections.filter(Boolean).join("\n\n")}\n`;
}

/** How much the medians of parts may differ before the page says that the clock moved. */
const STEADY = 0.1;

/** @param {PartOfRun[]} parts */
function movingClock(parts) {
  const clocks = parts.flatMap(({ gpu }) => (gpu ? [gpu.sm.median] : []));
  const [least, most] = [Math.min(...clocks), Math.max(...clocks)];
  if (clocks.length === 0 || least >= (1 - STEADY) * most) return "";
  return (
    `**The GPU's clock moved during this run**: its median was ${least} MHz in one part and ${most} MHz in another ([all parts](#parts-of-this-run)). ` +
    "Ratios and percentages below are of figures taken in turns, to which that matters little; milliseconds of two parts cannot be compared."
  );
}

/** @param {PartOfRun[]} parts */
function partsOfRun(parts) {
  const rows = parts.map(({ name, seconds, outcome }) => [name, seconds.toFixed(1), outcome]);
  if (!parts.some(({ gpu }) => gpu)) return [table(["part", "seconds", "outcome"], rows)];
  const states = parts.map(({ gpu }) => {
    if (!gpu) return ["", "", "", "", ""];
    const slowed = Object.entries(gpu.slowed).map(([what, share]) => `${what} ${(100 * share).toFixed(0)} %`);
    return [
      `${gpu.sm.least} / ${gpu.sm.median}`,
      String(gpu.memory),
      gpu.watts.toFixed(0),
      String(gpu.celsius),
      slowed.join(", "),
    ];
  });
  return [
    table(
      ["part", "seconds", "outcome", "SM clock, least / median MHz", "memory MHz", "W", "°C", "clock held back by"],
      rows.map((row, index) => [...row, ...(states[index] ?? [])]),
    ),
    "What `nvidia-smi` said five times a second, while the GPU was not idle: medians, the least clock, the highest temperature, and for how much of the time the clock was held back.",
  ];
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  process.stdout.write(speedPage(JSON.parse(readFileSync(/** @type {string} */ (process.argv[2]), "utf8"))));
}
