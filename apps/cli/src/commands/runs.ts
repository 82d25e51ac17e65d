import { listRuns } from "@webmoe/trainer/node";
import color from "picocolors";
import { RUNS } from "../run-model";
import { type RunSummary, summarizeRun } from "../run-summary";
import { type Column, tableLines } from "../terminal/columns";
import { duration, shortNumber } from "../terminal/format";
import { printable } from "../terminal/printable";
import { COMMAND } from "../version";

/** List the runs below a folder with their last figures, the newest first. */
export async function runsCommand(folder: string = RUNS, { json }: { json: boolean }): Promise<void> {
  const found = await listRuns(folder);
  const runs = await Promise.all(found.map(({ path }) => summarizeRun(path)));
  if (json) console.log(JSON.stringify(runs));
  else if (runs.length === 0) console.log(`no runs below ${folder}/: ${COMMAND} train makes one`);
  else console.log(runsTable(runs));
}

/** Runs as a table of the terminal. */
export function runsTable(runs: RunSummary[]): string {
  return tableLines(columns, runs, { head: color.bold }).join("\n");
}

const columns: Column<RunSummary>[] = [
  { head: "run", align: "left", text: ({ name }) => printable(name) },
  { head: "preset", align: "left", text: ({ preset }) => preset },
  { head: "router", align: "left", text: ({ router }) => printable(router) },
  { head: "step", text: ({ step, steps }) => `${step}/${steps}` },
  { head: "loss", text: ({ loss }) => figure(loss, (nats) => nats.toFixed(4)) },
  { head: "validation", text: ({ validation }) => validationFigure(validation) },
  { head: "tokens/s", text: ({ tokensPerSecond }) => figure(tokensPerSecond, shortNumber) },
  { head: "time", text: ({ elapsedSeconds }) => figure(elapsedSeconds, duration) },
];

function validationFigure({ bitsPerByte, accuracy, loss }: Partial<Record<string, number | null>> = {}): string {
  if (bitsPerByte !== undefined) return figure(bitsPerByte, (bits) => `${bits.toFixed(3)} bits/byte`);
  if (accuracy !== undefined) return figure(accuracy, (share) => `${(100 * share).toFixed(2)} %`);
  return figure(loss, (nats) => `${nats.toFixed(4)} nats`);
}

/** A figure in words: nothing where there is none, and JSON has null for what is no finite number. */
function figure(value: number | null | undefined, text: (value: number) => string): string {
  return value === undefined ? "" : value === null ? "not finite" : text(value);
}
