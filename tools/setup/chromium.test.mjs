import { createServer } from "node:http";
import { chromium } from "playwright-core";
import { expect, test } from "vitest";
import { chromiumLaunch } from "./chromium.mjs";

test("the browser opens a page of localhost that has a WebGPU adapter and computes", async () => {
  const server = createServer((_, response) => {
    response.setHeader("content-type", "text/html");
    response.end("<!doctype html><title>page</title>");
  });
  await new Promise((resolve) => server.listen(0, () => resolve(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  const browser = await chromium.launch(chromiumLaunch());
  try {
    const page = await browser.newPage();
    await page.goto(`http://localhost:${port}/`);
    const adapter = await page.evaluate(async () => {
      const found = await navigator.gpu?.requestAdapter();
      const device = await found?.requestDevice();
      return device && { vendor: found?.info.vendor, architecture: found?.info.architecture };
    });
    expect(adapter).toEqual({ vendor: "google", architecture: "swiftshader" });
  } finally {
    await browser.close();
    server.close();
  }
});
