import { type Column, tableLines } from "../terminal/columns";
import { flow } from "../terminal/flow";
import { bytes, shortNumber } from "../terminal/format";
import type { Floor } from "./floor";
import type { StepResult } from "./time-steps";
import { ratioOf } from "./turns";

/** A configuration's figures, as the table shows them. */
export interface StepRow extends StepResult {
  label: string;
  floor?: Floor;
}

const share = (part: number, whole: number) => `${((100 * part) / whole).toFixed(part / whole < 0.1 ? 1 : 0)} %`;

const columns: Column<StepRow>[] = [
  { head: "configuration", align: "left", text: ({ label, preset }) => label || preset },
  { head: "ms", text: ({ msPerStep }) => msPerStep.toFixed(2) },
  { head: "tokens/s", text: ({ tokensPerSecond }) => shortNumber(tokensPerSecond) },
  { head: "arithmetic", text: ({ floor, msPerStep }) => (floor ? share(floor.arithmeticMs, msPerStep) : "-") },
  { head: "bandwidth", text: ({ floor, msPerStep }) => (floor ? share(floor.bandwidthMs, msPerStep) : "-") },
  { head: "dispatches", text: ({ dispatches }) => String(dispatches) },
  { head: "submits", text: ({ submits }) => String(submits) },
  { head: "pipelines", text: ({ pipelines }) => String(pipelines) },
  { head: "memory", text: ({ planBytes }) => bytes(planBytes) },
  { head: "first step", text: ({ firstStepMs }) => `${(firstStepMs / 1000).toFixed(2)} s` },
];

/** Configurations as a table, a line each under a line of heads; those that were timed in turns beside the first. */
export function stepTable(rows: StepRow[], inTurns = false): string {
  const [name, ms, ...more] = columns;
  const besideFirst: Column<StepRow> = {
    head: "beside the first",
    text: ({ rounds }) => `${ratioOf(rounds, rows[0]!.rounds).median.toFixed(3)}x`,
  };
  return tableLines([name!, ms!, ...(inTurns ? [besideFirst] : []), ...more], rows).join("\n");
}

/** What the table's figures mean. */
export const stepTableNote = (width = process.stdout.columns ?? 100): string => flow("", NOTE.split(" "), " ", width);

const NOTE =
  "arithmetic, bandwidth: share of the step that its FLOPs would take at the rate of a large matrix product, and that " +
  "AdamW's memory traffic would take at the rate of a copy, both as measured on this device. memory: state and program. " +
  "first step: from a device without a model to the figures of the first step.";
