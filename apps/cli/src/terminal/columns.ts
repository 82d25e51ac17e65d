/** A column of a table of text: its head, and its text for a row. */
export interface Column<R> {
  head: string;
  /** Default "right". */
  align?: "left" | "right";
  text(row: R): string;
}

/** How a table is laid out. */
export interface TableOptions {
  /** Characters that a line has room for; default the terminal's, or where there is none, any number. */
  width?: number;
  /** Draws a line of heads. */
  head?(line: string): string;
}

/** Between two columns. */
const GAP = "  ";

/**
 * Lines that put rows under heads, columns as wide as they need to be. Where a line has no room for all
 * of them, the columns are spread over several tables with a blank line between them, which all begin with the first column.
 */
export function tableLines<R>(
  columns: Column<R>[],
  rows: R[],
  { width = process.stdout.columns, head = (line) => line }: TableOptions = {},
): string[] {
  const cells = columns.map(({ head, text }) => [head, ...rows.map(text)]);
  const widths = cells.map((column) => Math.max(...column.map((cell) => cell.length)));
  const tables: number[][] = [];
  let room = 0;
  for (let index = 1; index < columns.length; index++) {
    const taken = GAP.length + widths[index]!;
    if (tables.length === 0 || taken > room) {
      tables.push([0]);
      room = (width ?? Number.POSITIVE_INFINITY) - widths[0]!;
    }
    tables.at(-1)!.push(index);
    room -= taken;
  }
  const padded = (index: number, cell: string) =>
    columns[index]!.align === "left" ? cell.padEnd(widths[index]!) : cell.padStart(widths[index]!);
  return tables.flatMap((shown, number) => {
    const [heads, ...lines] = [-1, ...rows.keys()].map((row) =>
      shown
        .map((index) => padded(index, cells[index]![row + 1]!))
        .join(GAP)
        .trimEnd(),
    );
    return [...(number === 0 ? [] : [""]), head(heads!), ...lines];
  });
}
