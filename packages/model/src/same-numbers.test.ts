// One training run in Node and in Chromium, both on SwiftShader with the same features: the same bits, kernel by kernel.

import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { firstDifference } from "@webmoe/webgpu/testing";
import { build } from "esbuild";
import { chromium } from "playwright-core";
import { expect, test } from "vitest";
import { adapterEnv } from "../../../tools/setup/adapter.mjs";
import { chromiumLaunch } from "../../../tools/setup/chromium.mjs";
import type { FiftySteps } from "./fifty-steps";

const here = fileURLToPath(new URL(".", import.meta.url));

/** The run in Node, in a process that sees SwiftShader alone. */
async function inNode(watched: number[]): Promise<FiftySteps> {
  const program = `
    import { recurrentRouter } from "@webmoe/router-recurrent";
    import { openGpu } from "@webmoe/webgpu/node";
    import { fiftySteps } from "./fifty-steps.ts";
    console.log(JSON.stringify(await fiftySteps(openGpu, recurrentRouter({ dim: 32 }), ${JSON.stringify(watched)})));`;
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
  const child = spawn(process.execPath, ["--import", tsx, "--input-type=module", "--eval", program], {
    cwd: here,
    env: { ...process.env, ...(await adapterEnv("swiftshader")) },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let out = "";
  let error = "";
  child.stdout.on("data", (data) => {
    out += data;
  });
  child.stderr.on("data", (data) => {
    error += data;
  });
  const code = await new Promise((resolve) => child.on("close", resolve));
  expect(code, error).toBe(0);
  return JSON.parse(out);
}

/** The run in Chromium, from the same source. */
async function inBrowser(watched: number[]): Promise<FiftySteps> {
  const program = `
    import { recurrentRouter } from "@webmoe/router-recurrent";
    import { openGpu } from "@webmoe/webgpu";
    import { fiftySteps } from "./fifty-steps";
    globalThis.run = (watched) => fiftySteps(openGpu, recurrentRouter({ dim: 32 }), watched);`;
  const { outputFiles } = await build({
    stdin: { contents: program, resolveDir: here },
    bundle: true,
    write: false,
    format: "iife",
    platform: "browser",
  });
  const browser = await chromium.launch(chromiumLaunch());
  try {
    const page = await browser.newPage();
    await page.route("**/*", (route) => route.fulfill({ contentType: "text/html", body: "" }));
    await page.goto("http://localhost/");
    await page.addScriptTag({ content: outputFiles[0]!.text });
    return await page.evaluate(
      (watched) => (globalThis as unknown as { run(watched: number[]): Promise<FiftySteps> }).run(watched),
      watched,
    );
  } finally {
    await browser.close();
  }
}

test("fifty steps are the same bits in Node and in Chromium, else the first kernel that differs is named", async () => {
  const watched = [1, 50];
  const [node, browser] = await Promise.all([inNode(watched), inBrowser(watched)]);
  expect(node.adapter).toMatch(/swiftshader/i);
  expect(browser.adapter).toMatch(/swiftshader/i);
  expect([node.features, browser.features]).toEqual([[], []]);
  expect(Object.keys(node.losses)).toHaveLength(48);
  expect(node.losses[49]).toBeLessThan(node.losses[2]! - 1);
  expect(firstDifference(node.digests[1]!, browser.digests[1]!), "in step 1").toBeUndefined();
  const parted = Object.keys(node.losses)
    .map(Number)
    .find((step) => node.losses[step] !== browser.losses[step]);
  if (parted) {
    const [a, b] = await Promise.all([inNode([parted]), inBrowser([parted])]);
    expect.fail(`step ${parted}: ${firstDifference(a.digests[parted]!, b.digests[parted]!)}`);
  }
  expect(firstDifference(node.digests[50]!, browser.digests[50]!), "in step 50").toBeUndefined();
}, 600_000);
