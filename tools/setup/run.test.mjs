import { spawn } from "node:child_process";
import { expect, test } from "vitest";

const run = JSON.stringify(new URL("./run.mjs", import.meta.url).href);

/** @param {string} program the text of the Node program that runForeground starts */
function launch(program) {
  const text = `const { runForeground } = await import(${run});
    process.exitCode = await runForeground(["-e", ${JSON.stringify(program)}]);`;
  const launcher = spawn(process.execPath, ["--input-type=module", "-e", text], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise((resolve) => launcher.on("close", (code, signal) => resolve(signal ?? code)));
  return { launcher, ended };
}

test("the exit code is the child's, and 128 + the signal where one ended it", async () => {
  expect(await launch("process.exit(7)").ended).toBe(7);
  expect(await launch("").ended).toBe(0);
  expect(await launch("process.kill(process.pid, 'SIGKILL')").ended).toBe(137);
});

test.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
])("%s reaches the child, which ends in its own way", async (signal, code) => {
  const { launcher, ended } = launch(
    `process.on("${signal}", () => process.exit(${code})); setInterval(() => {}, 1000); console.log("ready")`,
  );
  await new Promise((resolve) => launcher.stdout.once("data", resolve));
  launcher.kill(/** @type {NodeJS.Signals} */ (signal));
  expect(await ended).toBe(code);
});
