import color from "picocolors";
import { printable } from "./printable";

/** Classes up to this number are shown as a matrix; of more, the pairs that are most often confused. */
const MOST_CLASSES = 10;
const MOST_PAIRS = 10;
const WIDEST = 20;

/** Texts of class `row` taken for class `column`, as a table of the terminal. */
export function confusionTable(confusion: number[][], labels: string[]): string {
  const names = labels.map((label) => printable(label));
  return names.length <= MOST_CLASSES
    ? matrix(
        confusion,
        names.map((name) => name.slice(0, WIDEST)),
      )
    : pairs(confusion, names);
}

function matrix(confusion: number[][], names: string[]): string {
  const widest = Math.max(...names.map((name) => name.length));
  const columns = names.map((name, column) =>
    Math.max(name.length, ...confusion.map((row) => `${row[column]}`.length)),
  );
  const head = names.map((name, column) => name.padStart(columns[column]!)).join("  ");
  const rows = confusion.map((counts, row) => {
    const cells = counts.map((count, column) => {
      const text = `${count}`.padStart(columns[column]!);
      return row === column ? color.bold(text) : count === 0 ? color.dim(text) : color.red(text);
    });
    return `  ${names[row]!.padEnd(widest)}  ${cells.join("  ")}`;
  });
  return [
    `${color.bold("confusion")}  rows are classes, columns what they were taken for`,
    `  ${" ".repeat(widest)}  ${head}`,
    ...rows,
  ].join("\n");
}

function pairs(confusion: number[][], names: string[]): string {
  const found = confusion.flatMap((counts, row) =>
    counts.flatMap((count, column) => (row !== column && count > 0 ? [{ count, row, column }] : [])),
  );
  if (found.length === 0) return `${color.bold("confusion")}  none`;
  const worst = found.sort((a, b) => b.count - a.count).slice(0, MOST_PAIRS);
  const width = Math.max(...worst.map(({ count }) => `${count}`.length));
  const rows = worst.map(
    ({ count, row, column }) =>
      `  ${`${count}`.padStart(width)}  ${names[row]} ${color.dim("taken for")} ${names[column]}`,
  );
  return [`${color.bold("confusion")}  what is most often mistaken`, ...rows].join("\n");
}
