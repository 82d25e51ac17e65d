// For tests of the command line: the program itself, from source, as a person would start it.

import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

/** How a command ended, and what it wrote. */
export interface CommandResult {
  code: number | null;
  out: string;
  error: string;
}

const tsx = createRequire(import.meta.url).resolve("tsx/cli");
const main = fileURLToPath(new URL("./main.ts", import.meta.url));

/** A function that runs `webmoe` with the given arguments in a folder, and resolves when it has ended. */
export function webmoeIn(folder: string, variables: Record<string, string> = {}) {
  // A package manager may point NODE_PATH at its own folder, which a file elsewhere must not need.
  const { NODE_PATH: _, ...environment } = process.env;
  const env = { ...environment, NO_COLOR: "1", ...variables };
  return (...args: string[]): Promise<CommandResult> =>
    new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [tsx, main, ...args], { cwd: folder, env });
      let [out, error] = ["", ""];
      child.stdout.on("data", (data) => {
        out += data;
      });
      child.stderr.on("data", (data) => {
        error += data;
      });
      child.on("error", reject);
      child.on("close", (code) => resolve({ code, out, error: withoutDawn(error) }));
    });
}

/** What a program wrote to the error stream, less what Dawn says there about limits of software drivers. */
export const withoutDawn = (error: string) => error.replace(/^Warning: max\w+ artificially reduced.*\n/gm, "");

/** `--set a.b=c` for every setting. */
export const sets = (...settings: string[]) => settings.flatMap((setting) => ["--set", setting]);
