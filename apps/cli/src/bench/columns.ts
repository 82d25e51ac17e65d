/** A column of a table of text: its head, and its text for a row. */
export interface Column<R> {
  head: string;
  /** Default "right". */
  align?: "left" | "right";
  text(row: R): string;
}

/** Lines that put rows under heads, columns as wide as they need to be. */
export function tableLines<R>(columns: Column<R>[], rows: R[]): string[] {
  const cells = [columns.map(({ head }) => head), ...rows.map((row) => columns.map(({ text }) => text(row)))];
  const widths = columns.map((_, index) => Math.max(...cells.map((line) => line[index]!.length)));
  return cells.map((line) =>
    line
      .map((cell, index) =>
        columns[index]!.align === "left" ? cell.padEnd(widths[index]!) : cell.padStart(widths[index]!),
      )
      .join("  ")
      .trimEnd(),
  );
}
