import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** @typedef {{ name: string, software: boolean }} AdapterInfo */
/** @typedef {{ adapter: AdapterInfo } | { adapter?: undefined, reason: string }} ProbeResult */

/**
 * Which adapter a Node process gets under these environment variables. A child finds out, because a driver may crash.
 * @param {Record<string, string>} env
 * @returns {Promise<ProbeResult>}
 */
export function probe(env) {
  return new Promise((resolve) => {
    const script = fileURLToPath(new URL("./probe-adapter.mjs", import.meta.url));
    const child = spawn(process.execPath, [script], {
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: 60_000,
    });
    let out = "";
    let errors = "";
    child.stdout.on("data", (chunk) => (out += chunk));
    child.stderr.on("data", (chunk) => (errors += chunk));
    child.on("error", (error) => resolve({ reason: error.message }));
    child.on("close", (code, signal) => {
      const line = out.split("\n").find((text) => text.startsWith("{"));
      if (line) return resolve({ adapter: JSON.parse(line) });
      const message = /^(?:\w*Error: )(.+)$/m.exec(errors)?.[1];
      resolve({ reason: message ?? (signal ? `the driver ended the process (${signal})` : `exit code ${code}`) });
    });
  });
}
