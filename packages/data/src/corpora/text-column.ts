/** The text of a row: of the column asked for, else of "text", else of the only column that holds text. */
export function textOf(row: unknown, column: string | undefined, place: string): string {
  if (typeof row === "string" && column === undefined) return row;
  if (typeof row !== "object" || row === null || Array.isArray(row)) {
    throw new Error(`data: needs an object with columns, and ${place} has ${show(row)}`);
  }
  const columns = row as Record<string, unknown>;
  const name = column ?? textColumn(columns, place);
  const value = Object.hasOwn(columns, name) ? columns[name] : undefined;
  if (typeof value === "string") return value;
  const known = Object.keys(columns).join(", ");
  throw new Error(`data: needs text in column "${name}", and ${place} has ${show(value)} there; its columns: ${known}`);
}

function textColumn(row: Record<string, unknown>, place: string): string {
  if (Object.hasOwn(row, "text")) return "text";
  const texts = Object.keys(row).filter((name) => typeof row[name] === "string");
  if (texts.length === 1) return texts[0]!;
  throw new Error(
    `data: needs documents.column where no column is called "text", and ${place} has ${Object.keys(row).join(", ") || "no columns"}`,
  );
}

const show = (value: unknown) =>
  value === undefined ? "nothing" : (JSON.stringify(value) ?? String(value)).slice(0, 60);
