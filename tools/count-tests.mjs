// Prints `tests: N passed, N failed` from vitest's JSON result, and exits with 1 where that is no success: a failed
// test, a file that could not be loaded, or no test at all.

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

/**
 * @param {string} json the text of vitest's JSON reporter
 * @returns {{ line: string, ok: boolean, problems: string[] }}
 */
export function countTests(json) {
  /** @type {any} */
  let result;
  try {
    result = JSON.parse(json);
  } catch {
    return { line: "tests: 0 passed, 0 failed", ok: false, problems: ["the runner left no result"] };
  }
  const { numPassedTests: passed = 0, numFailedTests: failed = 0, testResults: files = [] } = result;
  const skipped = (result.numTotalTests ?? 0) - passed - failed;
  const problems = files
    .filter((/** @type {any} */ file) => file.status === "failed" && file.assertionResults.length === 0)
    .map((/** @type {any} */ file) => `no test ran in ${file.name}: ${file.message}`);
  if (passed + failed === 0) problems.push("no test ran");
  if (skipped > 0) problems.push(`${skipped} tests were skipped`);
  const ok = failed === 0 && problems.length === 0 && result.success === true;
  return { line: `tests: ${passed} passed, ${failed} failed`, ok, problems };
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { line, ok, problems } = countTests(readFileSync(process.argv[2], "utf8"));
  for (const problem of problems) console.log(problem);
  console.log(line);
  process.exitCode = ok ? 0 : 1;
}
