// The bootstrap that demo, test and webmoe share: packages, then an adapter. Quick and silent when both are there.

import { findAdapter } from "./adapter.mjs";
import { installDependencies } from "./dependencies.mjs";
import { checkKeptFlags } from "./kept-flags.mjs";
import { failed } from "./say.mjs";

/**
 * Bring what is missing and say how to start the program.
 * @param {string[]} args the command line; `--adapter NAME` in it is ours
 * @returns {Promise<{ args: string[], choice: import("./choose.mjs").Choice }>} the rest of the command line
 */
export async function setUp(args) {
  checkNode(process.versions.node);
  checkKeptFlags(process.env);
  const { wanted, rest } = takeAdapter(args);
  await installDependencies();
  return { args: rest, choice: await findAdapter(wanted) };
}

/**
 * Run a program's body: its number is the exit code, what it throws is one message and exit code 1.
 * @param {() => Promise<number>} body
 */
export async function main(body) {
  try {
    process.exitCode = await body();
  } catch (error) {
    failed(error);
    process.exitCode = 1;
  }
}

/**
 * Take `--adapter NAME` or `--adapter=NAME` out of a command line.
 * @param {string[]} args
 */
export function takeAdapter(args) {
  const at = args.findIndex((arg) => arg === "--adapter" || arg.startsWith("--adapter="));
  if (at < 0) return { wanted: undefined, rest: args };
  const spaced = args[at] === "--adapter";
  const wanted = spaced ? (args[at + 1] ?? "") : args[at].slice("--adapter=".length);
  return { wanted, rest: [...args.slice(0, at), ...args.slice(at + (spaced ? 2 : 1))] };
}

/** @param {string} version */
export function checkNode(version) {
  const [major, minor] = version.split(".").map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  throw new Error(`setup: needs Node 20.19 or later, got ${version}: https://nodejs.org`);
}
