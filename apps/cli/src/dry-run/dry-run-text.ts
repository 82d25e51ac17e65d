import type { ModelSize } from "@webmoe/model";
import { type Fit, memoryRows, type Probe, type TimeEstimate } from "@webmoe/trainer";
import color from "picocolors";
import { titled } from "../terminal/flow";
import { bytes, duration, shortNumber } from "../terminal/format";

/** What a run would take. */
export interface DryRun {
  adapter: string;
  size: ModelSize;
  steps: number;
  tokensPerStep: number;
  /** Tokens of the whole run. */
  tokens: number;
  fits: boolean;
  fit: Fit;
  /** Where it fits: its speed, and seconds by what they are for. */
  probe?: Probe;
  seconds?: TimeEstimate;
}

/** What a run would take, for a terminal. */
export function dryRunText({ adapter, size, steps, tokensPerStep, tokens, fits, fit, ...rest }: DryRun): string {
  const { memory, limit } = fit;
  const row = (name: string, total: number, active: number) =>
    `  ${name.padEnd(20)}${shortNumber(total).padStart(10)}${shortNumber(active).padStart(10)}`;
  const { probe, seconds } = rest;
  return [
    color.bold(`${"parameters".padEnd(22)}${"total".padStart(10)}${"active".padStart(10)}`),
    ...size.parts.map(({ name, total, active }) => row(name, total, active)),
    row("all", size.total, size.active),
    "",
    ...(memory
      ? [color.bold("memory"), ...memoryRows(memory), `  ${"all".padEnd(20)}${bytes(memory.total).padStart(10)}`, ""]
      : []),
    titled(
      "work",
      `${shortNumber(size.flopsPerToken)} FLOPs a token; ${shortNumber(tokens)} tokens in ${steps} steps of ${tokensPerStep}`,
    ),
    ...(probe && seconds
      ? [
          titled(
            "time",
            `about ${duration(seconds.total)}: ${shortNumber(tokensPerStep / probe.secondsPerStep)} tokens/s in ${probe.steps} steps on ${adapter}`,
          ),
          ...(probe.layers ? [titled("", fromFewer(probe.layers))] : []),
          ...besideSteps(seconds),
        ]
      : []),
    titled("memory", fits ? fitsText(limit) : color.red("does not fit")),
  ].join("\n");
}

/** What takes a second or more besides the steps, on a line of its own. */
function besideSteps({ steps: _, total: __, ...others }: TimeEstimate): string[] {
  const parts = Object.entries(others).filter(([, seconds]) => seconds >= 1);
  if (parts.length === 0) return [];
  return [titled("", `of it ${parts.map(([name, seconds]) => `${name} ${duration(seconds)}`).join(", ")}`)];
}

/** Which models were probed in place of the run's. */
const fromFewer = ([few, more]: [number, number]) =>
  `of models with ${few} and ${more} layers, each further layer counted as those between them`;

function fitsText(limit: number): string {
  const room = Number.isFinite(limit) ? ` into ${bytes(limit)}` : "";
  return `${color.green(`fits${room}`)}${room ? "" : ", as far as is known: memory.limit sets how much a run may take"}`;
}
