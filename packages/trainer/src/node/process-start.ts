import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";

/**
 * When a process started, as a text that differs for a later process of the same number; undefined where there is no such
 * process. Where the system does not tell, "unknown".
 */
export async function processStart(pid: number): Promise<string | undefined> {
  if (!isRunning(pid)) return undefined;
  if (process.platform === "linux") {
    const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
    // The name of the program, in brackets, may hold spaces; the state comes after it, the start 19 fields later.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    if (fields[0] === "Z" || fields[0] === "X") return undefined; // killed, and not yet waited for
    return fields[19] ?? "unknown";
  }
  const { stdout } = await promisify(execFile)("ps", ["-o", "lstart=", "-p", `${pid}`]).catch(() => ({ stdout: "" }));
  return stdout.trim() || "unknown";
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
