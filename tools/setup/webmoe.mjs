import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { modulePath, root } from "./places.mjs";
import { runForeground } from "./run.mjs";

/**
 * Run the command-line program from source in the foreground.
 * @param {string[]} args
 * @param {Record<string, string>} env
 * @returns {Promise<number>} its exit code
 */
export function runWebmoe(args, env) {
  const loader = pathToFileURL(modulePath("tsx")).href;
  return runForeground(["--import", loader, join(root, "apps/cli/src/main.ts"), ...args], {
    env: { WEBMOE_COMMAND: "npm run webmoe --", ...env },
  });
}
