import { joinBytes } from "../shards/block-cutter";
import { byteStream } from "./byte-stream";
import type { Piece } from "./corpus";
import { textOf } from "./text-column";

/** Longest line: what is longer is taken for a file of another kind. */
const LONGEST_LINE = 2 ** 26;

/** Every line of a file of JSON lines as a document; blank lines are passed over. */
export async function* readJsonl(
  path: string,
  column: string | undefined,
  count?: (bytes: number) => void,
): AsyncGenerator<Piece> {
  const utf8 = new TextEncoder();
  for await (const { row, place } of jsonlRows(path, count)) {
    const bytes = utf8.encode(textOf(row, column, place));
    if (bytes.length > 0) yield { bytes, end: true };
  }
}

/** The values of a file of JSON lines, with where each stands; blank lines are passed over. */
export async function* jsonlRows(
  path: string,
  count?: (bytes: number) => void,
): AsyncGenerator<{ row: unknown; place: string }> {
  const text = new TextDecoder();
  let number = 0;
  const rows = (line: Uint8Array) => {
    const place = `${path}:${++number}`;
    const json = text.decode(line).trim();
    return json ? [{ row: parse(json, place), place }] : [];
  };
  let waiting: Uint8Array[] = [];
  let length = 0;
  for await (const bytes of byteStream(path, count)) {
    let start = 0;
    for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a, start)) {
      yield* rows(joinBytes([...waiting, bytes.subarray(start, end)]));
      waiting = [];
      length = 0;
      start = end + 1;
    }
    waiting.push(bytes.slice(start));
    length += bytes.length - start;
    if (length > LONGEST_LINE) {
      throw new Error(`data: needs lines of at most ${LONGEST_LINE} bytes, and ${path}:${number + 1} is longer`);
    }
  }
  yield* rows(joinBytes(waiting));
}

function parse(json: string, place: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw new Error(`data: needs one JSON value a line, and ${place} has none: ${(error as Error).message}`);
  }
}
