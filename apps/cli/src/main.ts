import { OutOfMemoryError } from "@webmoe/webgpu";
import { CommanderError } from "commander";
import { UsageError } from "./errors";
import { placeInImported } from "./import-file";
import { program } from "./program";

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

/** Print an error and return the exit code: 2 for usage, 1 for a failed run. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2; // commander has printed it
  if (program.opts().debug) console.error(error);
  else {
    const message = error instanceof Error ? error.message : String(error);
    const place = error instanceof Error ? placeInImported(error) : undefined;
    // What does not fit is told in several lines; of other errors the first says it.
    const told = error instanceof OutOfMemoryError ? message : message.split("\n")[0];
    console.error(`webmoe: ${told}${place ? ` (${place})` : ""}`);
  }
  return error instanceof UsageError ? 2 : 1;
}
