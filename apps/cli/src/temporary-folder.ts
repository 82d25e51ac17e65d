import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";

/** A folder for as long as something is done. */
export interface TemporaryFolder {
  path: string;
  /** Removes it with all that is in it. */
  remove(): void;
}

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** A folder whose name begins with `prefix` and is used by nobody else. It is removed as well where a signal ends the process. */
export async function temporaryFolder(prefix: string): Promise<TemporaryFolder> {
  const path = await mkdtemp(prefix);
  const remove = () => {
    for (const signal of SIGNALS) process.off(signal, interrupted);
    rmSync(path, { recursive: true, force: true });
  };
  const interrupted = (signal: NodeJS.Signals) => {
    remove();
    // Ends the process now that nobody here listens.
    process.kill(process.pid, signal);
  };
  for (const signal of SIGNALS) process.on(signal, interrupted);
  return { path, remove };
}
