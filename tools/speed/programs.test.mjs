import { expect, test } from "vitest";
import { takeTurns } from "./programs.mjs";

/** A program that takes turns, in a process of its own: it says when each of its rounds was. @param {string} name */
const player = (name) => ({
  command: [
    process.execPath,
    "-e",
    `console.log('{"ready":true}');
     require("node:readline").createInterface({ input: process.stdin })
       .on("line", (kind) => { console.log("${name} " + kind); console.log('{"round":"' + kind + '"}'); })
       .on("close", () => console.log("${name} ends"));`,
  ],
  read: (/** @type {string} */ line) => ({ source: line }),
});
const failing = { command: [process.execPath, "-e", "throw new Error('no memory')"], read: () => undefined };
const forever = new AbortController().signal;

test("programs have their rounds one after the other, every second round the other way about, and end one by one", async () => {
  /** @type {string[]} */
  const said = [];
  const found = (/** @type {{ source: string }} */ { source }) => void said.push(source);
  const options = { warmUp: 1, timed: 0, rounds: 2 };
  expect(await takeTurns([player("a"), player("b")], found, forever, options)).toBe("done");
  const timed = said.filter((line) => !line.endsWith("warm"));
  expect(timed).toEqual(["a time", "b time", "b time", "a time", "b ends", "a ends"]);
  expect(said.length).toBeGreaterThan(timed.length);
});

test("a program that fails is named and does not keep the others from theirs", async () => {
  /** @type {string[]} */
  const said = [];
  const found = (/** @type {{ source: string }} */ { source }) => void said.push(source);
  const options = { warmUp: 0, timed: 0, rounds: 2 };
  expect(await takeTurns([player("a"), failing], found, forever, options)).toBe("failed: Error: no memory");
  expect(said).toEqual(["a time", "a time", "a ends"]);
});

test("a program that waits is loaded at once and begins when the first one is ready", async () => {
  /** @type {string[]} */
  const said = [];
  const found = (/** @type {{ source: string }} */ { source }) => void said.push(source);
  const waiting = {
    command: [
      process.execPath,
      "-e",
      `console.log("loaded");
       require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
         console.log("got " + line);
         console.log(line === "begin" ? '{"ready":true}' : '{"round":"' + line + '"}');
       });`,
    ],
    waits: true,
    read: (/** @type {string} */ line) => ({ source: line }),
  };
  await takeTurns([player("a"), waiting], found, forever, { warmUp: 0, timed: 0, rounds: 2 });
  expect(said.filter((line) => line !== "loaded")).toEqual([
    "got begin",
    "a time",
    "got time",
    "got time",
    "a time",
    "a ends",
  ]);
  expect(said).toContain("loaded");
});
