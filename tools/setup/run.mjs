// Child processes: quiet ones whose output goes to a log, and the one in the foreground that takes over.

import { spawn } from "node:child_process";
import { createWriteStream, readFileSync } from "node:fs";
import { Transform } from "node:stream";

/**
 * Run a command with its output in a log file.
 * @param {string} command
 * @param {string[]} args
 * @param {{ log: string, cwd?: string, env?: NodeJS.ProcessEnv }} options
 * @returns {Promise<{ ok: boolean, tail: string }>} whether it exited with 0, and the last lines it wrote
 */
export async function runLogged(command, args, { log, cwd, env }) {
  const file = createWriteStream(log, { flags: "a" });
  file.write(`$ ${command} ${args.join(" ")}\n`);
  const ok = await new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      shell: needsShell(command),
    });
    child.stdout.pipe(file, { end: false });
    child.stderr.pipe(file, { end: false });
    child.on("error", (error) => {
      file.write(`${error.message}\n`);
      resolve(false);
    });
    child.on("close", (code) => resolve(code === 0));
  });
  await new Promise((resolve) => file.end(resolve));
  const tail = readFileSync(log, "utf8").trimEnd().split("\n").slice(-8).join("\n");
  return { ok, tail };
}

/**
 * Hand the terminal to a program, pass signals on, and return the exit code to end with.
 * @param {string[]} args
 * @param {{ command?: string, env?: NodeJS.ProcessEnv, cwd?: string }} [options] `command` is Node unless given
 * @returns {Promise<number>}
 */
export function runForeground(args, { command = process.execPath, env, cwd } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ["inherit", "inherit", "pipe"],
      shell: needsShell(command),
    });
    child.stderr.pipe(withoutDriverNotes()).pipe(process.stderr);
    // A terminal sends Ctrl-C to the child as well, so there it is only outlived; elsewhere it is passed on.
    process.on("SIGINT", () => {
      if (!process.stdin.isTTY) child.kill("SIGINT");
    });
    process.on("SIGTERM", () => child.kill("SIGTERM"));
    process.on("SIGHUP", () => child.kill("SIGHUP"));
    child.on("error", reject);
    child.on("close", (code, signal) => resolve(code ?? 128 + (signalNumbers[signal ?? ""] ?? 1)));
  });
}

/** Dawn writes two lines about limits that it lowers on software drivers, which nobody can act on. */
function withoutDriverNotes() {
  let rest = "";
  const note = /^Warning: maxDynamic\w+BuffersPerPipelineLayout artificially reduced/;
  return new Transform({
    transform(chunk, _encoding, done) {
      const lines = (rest + chunk).split("\n");
      const last = lines.pop() ?? "";
      // A prompt or a progress line has no end yet: hold back only what may become a note.
      const held = "Warning: max".startsWith(last.slice(0, 12)) ? last : "";
      const kept = lines.filter((line) => !note.test(line)).map((line) => `${line}\n`);
      rest = held;
      done(null, kept.join("") + last.slice(held.length));
    },
    flush(done) {
      done(null, note.test(rest) ? "" : rest);
    },
  });
}

/** @type {Record<string, number>} */
const signalNumbers = { SIGHUP: 1, SIGINT: 2, SIGABRT: 6, SIGKILL: 9, SIGSEGV: 11, SIGTERM: 15 };

/** @param {string} command npm's commands are .cmd files on Windows, which only a shell starts */
function needsShell(command) {
  return process.platform === "win32" && command !== process.execPath;
}
