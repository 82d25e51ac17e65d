// Programs that are timed: one by itself, or several that take turns on one device.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/**
 * @typedef {Record<string, unknown> & { source: string }} Result
 * @typedef {{ command: string[], env?: Record<string, string>, waits?: boolean, read(line: string): Result | undefined }} Program
 * a command, whether it waits for a line before it touches the device, and what a line that it prints says
 */

/**
 * Start a program; `ended` is how it ended, "done" where it went well.
 * @param {Program} program
 * @param {(result: Result) => void} found takes every result as it comes
 */
export function start({ command, env, read }, found) {
  const [name, ...args] = command;
  const child = spawn(/** @type {string} */ (name), args, { env: { ...process.env, ...env } });
  let errors = "";
  child.stderr.on("data", (data) => {
    errors = (errors + data).slice(-2000);
  });
  child.stdin.on("error", () => {}); // of one that has died, which `ended` tells
  /** @type {(() => void)[]} */
  const waiting = [];
  createInterface({ input: child.stdout }).on("line", (line) => {
    if (/^{"(ready|round)":/.test(line)) waiting.shift()?.();
    else {
      const result = read(line);
      if (result) found(result);
    }
  });
  /** @type {Promise<string>} */
  const ended = new Promise((resolve) => {
    child.on("error", (error) => resolve(`failed: ${error.message}`));
    child.on("close", (code, signal) => {
      if (code === 0) resolve("done");
      else resolve(signal ? "stopped" : `failed: ${reason(errors)}`);
    });
  });
  const answer = () => /** @type {Promise<void>} */ (new Promise((resolve) => waiting.push(resolve)));
  return {
    ended,
    /** Whether it said that it is ready, before it ended. */
    ready: Promise.race([answer().then(() => true), ended.then(() => false)]),
    /** Let one that waits begin. */
    begin: () => child.stdin.write("begin\n"),
    /** Ask for a round and wait until it is over. @param {"warm" | "time"} kind */
    async round(kind) {
      const over = answer();
      child.stdin.write(`${kind}\n`);
      await Promise.race([over, ended]);
    },
    finish: () => child.stdin.end(),
    /** A program that starts another, as tools/webmoe.mjs does, hands on the first signal and cannot the second. */
    kill() {
      child.kill("SIGTERM");
      setTimeout(() => child.kill("SIGKILL"), 5000).unref();
    },
  };
}

/** How long programs take turns: milliseconds of rounds that warm the device, then of those that count, and the fewest of these. */
const TURNS = { warmUp: 1500, timed: 4000, rounds: 6 };

/**
 * Let programs time themselves in turns. The first one has the device to itself until it is ready, since it may say how long its
 * first step took. A round has each of them once, the next round the other way about.
 * @param {Program[]} programs
 * @param {(result: Result) => void} found
 * @param {AbortSignal} stop
 * @returns {Promise<string>} how they ended
 */
export async function takeTurns(programs, found, stop, { warmUp, timed, rounds } = TURNS) {
  /** @type {ReturnType<typeof start>[]} */
  const children = [];
  const launch = (/** @type {Program} */ program) => {
    const child = start(program, found);
    children.push(child);
    return child;
  };
  stop.addEventListener("abort", () => children.forEach(({ kill }) => void kill()));
  const early = programs.map((program, index) => (index === 0 || program.waits ? launch(program) : undefined));
  await early[0]?.ready;
  const started = programs.map((program, index) => early[index] ?? launch(program));
  started.forEach(({ begin }, index) => void (programs[index]?.waits && begin()));
  const ready = await Promise.all(started.map(({ ready }) => ready));
  const playing = started.filter((_, index) => ready[index]);
  const round = async (/** @type {"warm" | "time"} */ kind, /** @type {boolean} */ backwards) => {
    for (const each of backwards ? playing.toReversed() : playing) await each.round(kind);
  };
  const warm = Date.now();
  while (Date.now() - warm < warmUp && !stop.aborted) await round("warm", false);
  const counting = Date.now();
  for (let done = 0; (done < rounds || Date.now() - counting < timed || done % 2 === 1) && !stop.aborted; done++) {
    await round("time", done % 2 === 1);
  }
  // One after the other, so that what the first one does at its end has the device to itself.
  for (const each of started.toReversed()) {
    each.finish();
    await each.ended;
  }
  const outcomes = await Promise.all(started.map(({ ended }) => ended));
  return outcomes.find((outcome) => outcome !== "done") ?? "done";
}

/** The line of a program's complaints that says what is wrong. @param {string} errors */
function reason(errors) {
  const lines = errors.trim().split("\n");
  return lines.findLast((line) => /error|webmoe:/i.test(line)) ?? lines.at(-1);
}
