import { CsvError, parse } from "csv-parse";
import { byteStream } from "./byte-stream";
import type { Piece } from "./corpus";
import { textOf } from "./text-column";

/** Longest row, so that a quote which is never closed does not take all memory. */
const LONGEST_ROW = 2 ** 26;

/** Every row of a CSV or TSV file with a header as a document. */
export async function* readCsv(
  path: string,
  column: string | undefined,
  count?: (bytes: number) => void,
): AsyncGenerator<Piece> {
  const utf8 = new TextEncoder();
  let number = 1;
  for await (const row of csvRows(path, count)) {
    number++;
    const bytes = utf8.encode(textOf(row, column, `row ${number} of ${path}`));
    if (bytes.length > 0) yield { bytes, end: true };
  }
}

/** The rows of a CSV or TSV file (.tsv) with a header, as objects. */
export async function* csvRows(path: string, count?: (bytes: number) => void): AsyncGenerator<Record<string, string>> {
  const parser = parse({
    bom: true,
    columns: true,
    delimiter: /\.tsv(\.gz)?$/i.test(path) ? "\t" : ",",
    max_record_size: LONGEST_ROW,
    relax_quotes: false,
    skip_empty_lines: true,
  });
  const feed = (async () => {
    for await (const bytes of byteStream(path, count)) {
      if (!parser.write(bytes)) await new Promise((resolve) => parser.once("drain", resolve).once("close", resolve));
      if (parser.destroyed) return;
    }
    parser.end();
  })().catch((error) => {
    parser.destroy(error);
  });
  try {
    yield* parser;
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new Error(`data: needs a CSV file with a header, and "${path}" is none: ${(error as Error).message}`);
  } finally {
    parser.destroy();
    await feed;
  }
}
