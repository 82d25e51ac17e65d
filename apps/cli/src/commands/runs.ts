import { listRuns } from "@webmoe/trainer/node";
import color from "picocolors";
import { RUNS } from "../run-model";
import { type RunSummary, summarizeRun } from "../run-summary";
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
  const head = ["run", "preset", "router", "step", "loss", "validation", "tokens/s", "time"];
  const rows = runs.map((run) => [
    printable(run.name),
    run.preset,
    printable(run.router),
    `${run.step}/${run.steps}`,
    figure(run.loss, (loss) => loss.toFixed(4)),
    validationFigure(run.validation),
    figure(run.tokensPerSecond, shortNumber),
    figure(run.elapsedSeconds, duration),
  ]);
  const left = 3; // names to the left, figures to the right
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]!.length)));
  const line = (cells: string[]) =>
    cells.map((cell, i) => (i < left ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join("  ");
  return [color.bold(line(head)), ...rows.map(line)].join("\n");
}

function validationFigure({ bitsPerByte, accuracy, loss }: Partial<Record<string, number | null>> = {}): string {
  if (bitsPerByte !== undefined) return figure(bitsPerByte, (bits) => `${bits.toFixed(3)} bits/byte`);
  if (accuracy !== undefined) return figure(accuracy, (share) => `${(100 * share).toFixed(2)} %`);
  return figure(loss, (nats) => `${nats.toFixed(4)} nats`);
}

/** A figure in words: nothing where there is none, and JSON has null for what is no finite number. */
function figure(value: number | null | undefined, text: (value: number) => string): string {
  return value === undefined ? "" : value === null ? "not finite" : text(value);
}
