import { expect, test } from "vitest";
import { countTests } from "./count-tests.mjs";

const file = (/** @type {string} */ status, /** @type {number} */ tests) => ({
  name: "a.test.ts",
  status,
  message: "broken import",
  assertionResults: Array.from({ length: tests }, () => ({})),
});
const count = (/** @type {object} */ result) => countTests(JSON.stringify(result));

test("passed and failed tests are counted", () => {
  const passed = {
    numTotalTests: 3,
    numPassedTests: 3,
    numFailedTests: 0,
    success: true,
    testResults: [file("passed", 3)],
  };
  expect(count(passed)).toEqual({ line: "tests: 3 passed, 0 failed", ok: true, problems: [] });
  const failed = { ...passed, numPassedTests: 2, numFailedTests: 1, success: false };
  expect(count(failed)).toMatchObject({ line: "tests: 2 passed, 1 failed", ok: false });
});

test("a file that cannot load, a skipped test, no test and no result are failures", () => {
  const none = { numTotalTests: 0, numPassedTests: 0, numFailedTests: 0, success: true, testResults: [] };
  expect(count(none)).toMatchObject({ ok: false, problems: ["no test ran"] });
  const broken = { ...none, numTotalTests: 1, numPassedTests: 1, testResults: [file("failed", 0), file("passed", 1)] };
  expect(count(broken)).toMatchObject({ ok: false, problems: ["no test ran in a.test.ts: broken import"] });
  const skipped = { ...none, numTotalTests: 2, numPassedTests: 1 };
  expect(count(skipped)).toMatchObject({ ok: false, problems: ["1 tests were skipped"] });
  expect(countTests("")).toMatchObject({ line: "tests: 0 passed, 0 failed", ok: false });
});
