import { expect, test } from "vitest";
import { utf8Runs } from "./utf8-runs";

const strict = new TextDecoder("utf-8", { fatal: true });
const isText = (bytes: Uint8Array) => {
  try {
    strict.decode(bytes);
    return true;
  } catch {
    return false;
  }
};

test("runs are what a strict decoder accepts, for every pair of bytes", () => {
  // Every pair of bytes, before two that may or may not continue it.
  const wrong: number[][] = [];
  for (let first = 0; first < 256; first++) {
    for (let second = 0; second < 256; second++) {
      for (const rest of [[0x80, 0x80], [0x41]]) {
        const bytes = Uint8Array.of(first, second, ...rest);
        const runs = [...utf8Runs(bytes)];
        const joined = runs.flatMap((run) => ("text" in run ? [...run.text] : [run.broken]));
        const whole = runs.length === 1 && "text" in runs[0]!;
        const right = `${joined}` === `${bytes}` && whole === isText(bytes);
        if (!right || runs.some((run) => "text" in run && !isText(run.text))) wrong.push([...bytes]);
      }
    }
  }
  expect(wrong).toEqual([]);
});

test("a broken byte between texts stands alone", () => {
  const bytes = Uint8Array.of(0x61, 0xff, 0xe2, 0x98, 0x83, 0xe2, 0x98);
  expect([...utf8Runs(bytes)]).toEqual([
    { text: Uint8Array.of(0x61) },
    { broken: 0xff },
    { text: Uint8Array.of(0xe2, 0x98, 0x83) },
    { broken: 0xe2 },
    { broken: 0x98 },
  ]);
});
