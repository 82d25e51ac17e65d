import { spawn } from "node:child_process";

/**
 * Run a command to its end and return what it wrote to stdout. Whatever it wrote is in the error when it fails.
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options] `env` is added to this process's
 * @returns {Promise<string>}
 */
export async function runQuietly(command, args, { cwd, env } = {}) {
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    shell: process.platform === "win32" && command !== process.execPath,
  });
  let out = "";
  let all = "";
  child.stdout.on("data", (data) => {
    out += data;
    all += data;
  });
  child.stderr.on("data", (data) => {
    all += data;
  });
  const code = await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  if (code !== 0) throw new Error(`${command} ${args.join(" ")}: ended with ${code}\n${all.trim()}`);
  return out;
}
