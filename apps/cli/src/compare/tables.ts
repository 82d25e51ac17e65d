// The tables of a comparison on a terminal.

import color from "picocolors";
import { type Column, tableLines } from "../terminal/columns";
import { bytes, duration, shortNumber } from "../terminal/format";
import { type Comparison, type Figure, verdict } from "./comparison";
import type { RunResult } from "./run-result";

/** The table that grows while runs end: its head, and a line for each. */
export function runTable(labels: string[]) {
  const width = Math.max("router".length, ...labels.map((label) => label.length));
  const line = (cells: string[]) =>
    `${cells[0]!.padEnd(width)}  ${cells
      .slice(1)
      .map((cell) => cell.padStart(10))
      .join(" ")}`;
  return {
    head: color.bold(line(["router", "seed", "best step", "validation", "test", "ms/step", "time"])),
    row: (label: string, { seed, best, msPerStep, seconds }: RunResult) =>
      line([
        label,
        `${seed}`,
        `${best.step}`,
        best.validation.bitsPerByte.toFixed(4),
        best.test.bitsPerByte.toFixed(4),
        msPerStep.toFixed(1),
        duration(seconds),
      ]),
    failure: (label: string, seed: number, message: string) =>
      `${label.padEnd(width)}  ${color.red(`seed ${seed} failed: ${message}`)}`,
  };
}

/** What a comparison found, in two tables: losses and costs. */
export function summaryTables(comparison: Comparison): string {
  const { routers, baseline, caveat } = comparison;
  const parts = [
    table(
      ["bits per byte", "validation", `difference to ${baseline}, 95 %`, "test", "seeds"],
      routers.map((router) => [
        router.label,
        figureText(router.validation),
        router.label === baseline ? "baseline" : differenceText(router.validation),
        figureText(router.test),
        `${router.seeds.length}`,
      ]),
    ),
    table(
      ["cost", "parameters", "active", "router", "ms/step", "time", "memory", ""],
      routers.map((router) => [
        router.label,
        shortNumber(router.size.total),
        shortNumber(router.size.active),
        shortNumber(router.size.router),
        router.msPerStep?.mean.toFixed(1) ?? "",
        ratioText(router.msPerStep?.relative),
        router.memory ? bytes(router.memory.bytes) : "",
        ratioText(router.memory?.relative),
      ]),
    ),
    ...(caveat ? [color.yellow(caveat)] : []),
  ];
  return parts.join("\n\n");
}

/** "2.1234 ± 0.0012": mean and standard deviation over seeds. */
export function figureText(figure: Figure | undefined): string {
  if (!figure) return "";
  return figure.mean.toFixed(4) + (figure.deviation === undefined ? "" : ` ± ${figure.deviation.toFixed(4)}`);
}

/** "-0.012 [-0.015, -0.009] lower"; without an interval below three seeds. */
export function differenceText(figure: Figure | undefined): string {
  if (!figure?.difference) return "";
  const { mean, low, high } = figure.difference;
  const said = verdict(figure);
  return said ? `${signed(mean)} [${signed(low!)}, ${signed(high!)}] ${said}` : signed(mean);
}

/** "1.03x" */
export function ratioText(ratio: number | undefined): string {
  return ratio === undefined ? "" : `${ratio.toFixed(2)}x`;
}

const signed = (value: number) => `${value < 0 ? "" : "+"}${value.toFixed(4)}`;

function table(head: string[], rows: string[][]): string {
  const columns = head.map(
    (name, index): Column<string[]> => ({
      head: name,
      align: index === 0 ? "left" : "right",
      text: (row) => row[index]!,
    }),
  );
  return tableLines(columns, rows, { head: color.bold }).join("\n");
}
