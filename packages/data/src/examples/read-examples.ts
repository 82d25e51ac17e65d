import { stat } from "node:fs/promises";
import { csvRows } from "../corpora/read-csv";
import { jsonlRows } from "../corpora/read-jsonl";
import type { Example } from "./example";
import { readSpam } from "./spam";

/** Columns of a file with examples. */
export interface ExampleColumns {
  /** Default "text", or the only column besides the label's. */
  text?: string;
  /** Default "label", or the only column besides the text's. */
  label?: string;
}

/**
 * Texts with their classes: `spam`, or a file of CSV, TSV (with a header) or JSON lines. Rows without a text are passed over;
 * one without a class is an error that names it.
 */
export async function readExamples(nameOrPath: string, columns: ExampleColumns = {}): Promise<Example[]> {
  if (nameOrPath === "spam") return readSpam();
  const found = await stat(nameOrPath).catch(() => undefined);
  if (!found?.isFile() || !/\.([ct]sv|jsonl|ndjson)(\.gz)?$/i.test(nameOrPath)) {
    throw new Error(
      `data: needs spam, or a .csv, .tsv or .jsonl file of texts and classes, and "${nameOrPath}" is ${found ? "of another kind" : "not there"}`,
    );
  }
  const examples: Example[] = [];
  for await (const { row, place } of rowsOf(nameOrPath)) {
    const example = exampleOf(row, columns, place);
    if (example.text.length > 0) examples.push(example);
  }
  if (examples.length === 0) throw new Error(`data: needs rows with a text and a class, and "${nameOrPath}" has none`);
  return examples;
}

async function* rowsOf(path: string): AsyncGenerator<{ row: unknown; place: string }> {
  if (!/\.[ct]sv(\.gz)?$/i.test(path)) {
    yield* jsonlRows(path);
    return;
  }
  let number = 1;
  for await (const row of csvRows(path)) yield { row, place: `row ${++number} of ${path}` };
}

function exampleOf(row: unknown, columns: ExampleColumns, place: string): Example {
  if (typeof row !== "object" || row === null || Array.isArray(row)) {
    throw new Error(`data: needs an object with columns, and ${place} has ${JSON.stringify(row).slice(0, 60)}`);
  }
  const values = row as Record<string, unknown>;
  const { text, label } = namesOf(Object.keys(values), columns, place);
  const value = (name: string, kinds: string[]) => {
    const found = Object.hasOwn(values, name) ? values[name] : undefined;
    if (kinds.includes(typeof found)) return String(found);
    const shown = JSON.stringify(found)?.slice(0, 60) ?? "nothing";
    throw new Error(`data: needs ${kinds.join(" or ")} in column "${name}", and ${place} has ${shown} there`);
  };
  const example = { text: value(text, ["string"]), label: value(label, ["string", "number", "boolean"]) };
  if (example.label === "") throw new Error(`data: needs a class in column "${label}", and ${place} has none`);
  return example;
}

/** Which columns are meant where they are not all named. */
function namesOf(names: string[], columns: ExampleColumns, place: string): { text: string; label: string } {
  const own = (name: string) => (names.includes(name) ? name : undefined);
  const other = (name: string | undefined) => {
    const rest = names.filter((one) => one !== name);
    return rest.length === 1 ? rest[0] : undefined;
  };
  const named = { text: columns.text ?? own("text"), label: columns.label ?? own("label") };
  const text = named.text ?? other(named.label);
  const label = named.label ?? other(text);
  if (text !== undefined && label !== undefined) return { text, label };
  throw new Error(
    `data: needs classification.text and classification.label to name the columns of the text and the class, and ${place} has ${names.join(", ")}`,
  );
}
