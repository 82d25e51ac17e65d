import { mkdtempSync, rmSync } from "node:fs";

/** A folder for as long as something is done. */
export interface TemporaryFolder {
  path: string;
  /** Removes it with all that is in it. */
  remove(): void;
}

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** Milliseconds in which operations on files that are under way come to their end. */
const SETTLING = 100;

/** A folder whose name begins with `prefix` and is used by nobody else. It is removed as well where a signal ends the process. */
export function temporaryFolder(prefix: string): TemporaryFolder {
  let path: string | undefined;
  const remove = () => {
    for (const signal of SIGNALS) process.off(signal, interrupted);
    if (path) rmSync(path, { recursive: true, force: true });
  };
  const interrupted = (signal: NodeJS.Signals) => {
    // One that makes a folder could bring this one back. While this thread sleeps no other begins.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, SETTLING);
    remove();
    // Ends the process now that nobody here listens.
    process.kill(process.pid, signal);
  };
  // Before the folder is made: a signal that nobody listens to ends a process at any moment.
  for (const signal of SIGNALS) process.on(signal, interrupted);
  try {
    path = mkdtempSync(prefix);
    return { path, remove };
  } catch (error) {
    remove();
    throw error;
  }
}
