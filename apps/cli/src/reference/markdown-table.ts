/** A table in Markdown as the formatter leaves it: columns as wide as their longest cell. */
export function markdownTable(head: string[], rows: string[][]): string {
  const cells = rows.map((row) => row.map((cell) => cell.replaceAll("|", "\\|")));
  const widths = head.map((_, column) => Math.max(...[head, ...cells].map((row) => row[column]!.length)));
  const line = (cells: string[]) => `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |`;
  return `${[line(head), line(widths.map((width) => "-".repeat(width))), ...cells.map(line)].join("\n")}\n`;
}
