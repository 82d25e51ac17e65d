import { byteStream } from "./byte-stream";
import { checkText } from "./check-text";
import type { Piece } from "./corpus";

/** A text file as one document. Empty and binary files are errors. */
export async function* readText(path: string, count?: (bytes: number) => void): AsyncGenerator<Piece> {
  let before: Uint8Array | undefined;
  let first = true;
  for await (const bytes of byteStream(path, count)) {
    if (bytes.length === 0) continue;
    if (first) checkText(bytes, path);
    else if (bytes.includes(0)) checkText(Uint8Array.of(0), path);
    first = false;
    if (before) yield { bytes: before, end: false };
    before = bytes;
  }
  yield { bytes: before ?? checkText(new Uint8Array(0), path), end: true };
}
