import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { adapterEnv } from "../../../../tools/setup/adapter.mjs";

/** Run `webmoe train` on the same kind of adapter as the browser's. */
export async function trainInNode(...flags: string[]): Promise<void> {
  const tsx = createRequire(import.meta.url).resolve("tsx/cli");
  const main = fileURLToPath(new URL("../../../cli/src/main.ts", import.meta.url));
  const { NODE_PATH: _, ...own } = process.env;
  const child = spawn(process.execPath, [tsx, main, "train", ...flags], {
    env: { ...own, ...(await adapterEnv("swiftshader")) },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let errors = "";
  child.stderr.on("data", (data) => {
    errors += data;
  });
  const code = await new Promise((resolve) => child.on("close", resolve));
  expect(code, errors).toBe(0);
}
