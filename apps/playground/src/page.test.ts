// The built page in a real browser, on a software adapter, served from a folder of a server as on a static host.

import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { adapterEnv } from "../../../tools/setup/adapter.mjs";
import { chromiumLaunch } from "../../../tools/setup/chromium.mjs";

const playground = fileURLToPath(new URL("..", import.meta.url));
const types: Record<string, string> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".txt": "text/plain",
};

interface Metrics {
  step: number;
  loss: number;
  split?: string;
}

let folder: string;
let server: Server;
let address: string;
let browser: Browser;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "webmoe-page-"));
  const site = join(folder, "site");
  await build({ root: playground, logLevel: "warn", build: { outDir: site, emptyOutDir: true } });
  server = createServer(async (request, response) => {
    const path = new URL(request.url!, "http://localhost").pathname;
    const name = path.startsWith("/some/where/") ? path.slice("/some/where/".length) || "index.html" : "missing";
    try {
      const content = await readFile(join(site, name));
      response.setHeader("content-type", types[extname(name)] ?? "application/octet-stream").end(content);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  address = `http://localhost:${(server.address() as AddressInfo).port}/some/where/`;
  browser = await chromium.launch(chromiumLaunch());
});

afterAll(async () => {
  await browser?.close();
  server?.close();
  await rm(folder, { recursive: true, force: true });
});

/** Open the page with a configuration; what it logs as an error, or throws, fails the test. */
async function open(configuration: string): Promise<{ page: Page; requests: string[]; close(): Promise<void> }> {
  const page = await browser.newPage();
  const requests: string[] = [];
  const errors: string[] = [];
  page.on("request", (request) => requests.push(request.url()));
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  await page.goto(address + configuration);
  return {
    page,
    requests,
    async close() {
      await page.close();
      expect(errors).toEqual([]);
    },
  };
}

const status = (page: Page, text: string) => page.getByRole("status").filter({ hasText: text }).waitFor();

async function metricsOf(page: Page): Promise<Metrics[]> {
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "metrics.jsonl" }).click(),
  ]);
  return parse(await readFile(await download.path(), "utf8"));
}

function parse(metrics: string): Metrics[] {
  return metrics
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

/** The same run by the command line, on the same kind of adapter. */
async function trainInNode(...flags: string[]): Promise<Metrics[]> {
  const out = join(folder, "run");
  const tsx = createRequire(import.meta.url).resolve("tsx/cli");
  const main = fileURLToPath(new URL("../../cli/src/main.ts", import.meta.url));
  const { NODE_PATH: _, ...own } = process.env;
  const child = spawn(process.execPath, [tsx, main, "train", "--out", out, ...flags], {
    env: { ...own, ...(await adapterEnv("swiftshader")) },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let errors = "";
  child.stderr.on("data", (data) => {
    errors += data;
  });
  const code = await new Promise((resolve) => child.on("close", resolve));
  expect(code, errors).toBe(0);
  return parse(await readFile(join(out, "metrics.jsonl"), "utf8"));
}

test("twenty steps in the page are those of Node, and nothing leaves the server", async () => {
  const { page, requests, close } = await open("#router=xmoe&steps=20&seed=3");
  expect(await page.getByLabel("Steps").inputValue()).toBe("20");
  await page.getByLabel("Router").selectOption("recurrent");
  await page.getByRole("button", { name: "Train" }).click();
  await status(page, "Done");
  expect(page.url()).toBe(`${address}#steps=20&seed=3`);
  expect(await page.getByText("step 20 of 20").count()).toBe(1);
  expect((await page.locator(".text").textContent())!.length).toBeGreaterThan(100);
  expect(await page.getByRole("meter").count()).toBe(8);
  const inPage = await metricsOf(page);
  await close();
  expect(requests.filter((url) => !url.startsWith(address) && !url.startsWith("blob:"))).toEqual([]);

  const inNode = await trainInNode("--preset", "nano", "--steps", "20", "--seed", "3", "--set", "sample.tokens=0");
  expect(inPage).toHaveLength(21);
  expect(inNode).toHaveLength(21);
  inPage.forEach(({ step, loss, split }, index) => {
    expect({ step, split }).toEqual({ step: inNode[index]!.step, split: inNode[index]!.split });
    expect(Math.abs(loss / inNode[index]!.loss - 1), `step ${step}`).toBeLessThan(1e-5);
  });
  expect(inPage[19]!.loss).toBeLessThan(inPage[0]!.loss - 0.5);
});

test("a run pauses, goes on and stops; the next one learns from a file", async () => {
  const { page, close } = await open("#steps=5000");
  await page.getByRole("button", { name: "Train" }).click();
  await status(page, "Training");
  await page.getByRole("button", { name: "Pause" }).click();
  await status(page, "Paused");
  const step = () => page.locator("progress").evaluate((bar: HTMLProgressElement) => bar.value);
  // A step that is on the device when the pause begins still ends, however slow the machine is.
  const later = () => page.waitForTimeout(3000).then(step);
  let paused = await step();
  for (let next = await later(); next !== paused; next = await later()) paused = next;
  expect(await later()).toBe(paused);
  await page.getByRole("button", { name: "Resume" }).click();
  await page.waitForFunction((last) => document.querySelector("progress")!.value > last, paused);
  await page.getByRole("button", { name: "Stop" }).click();
  await status(page, "Stopped");
  expect(await page.locator(".text").count()).toBe(1);

  await page.getByLabel("Steps").fill("2");
  await page.getByLabel("Text").setInputFiles({
    name: "own.txt",
    mimeType: "text/plain",
    buffer: Buffer.from("All work and no play. ".repeat(100)),
  });
  await page.getByText("own.txt").waitFor();
  await page.getByRole("button", { name: "Train again" }).click();
  await status(page, "Done");
  expect(await page.getByRole("alert").count()).toBe(0);
  await close();
});

test("files and settings that cannot be trained with are said, and change nothing", async () => {
  const { page, close } = await open("");
  const give = (name: string, buffer: Buffer) =>
    page.getByLabel("Text").setInputFiles({ name, mimeType: "text/plain", buffer });
  const said = (text: string) => page.getByRole("alert").filter({ hasText: text }).waitFor();
  await give("empty.txt", Buffer.alloc(0));
  await said('data: needs text, and "empty.txt" is empty');
  await give("picture.txt", Buffer.from([0x89, 0x50, 0, 1, 2]));
  await said('"picture.txt" looks binary');
  await give("short.txt", Buffer.from("Too short."));
  await said("data: needs at least 650 bytes of text");
  expect(await page.getByText("Moby-Dick").count()).toBe(1);
  await page.getByLabel("Experts per token").fill("5");
  await page.getByText("needs at most as many as there are experts, 4").waitFor();
  expect(await page.getByRole("button", { name: "Train" }).isDisabled()).toBe(true);
  await page.getByLabel("Experts per layer").fill("8");
  expect(await page.getByRole("button", { name: "Train" }).isDisabled()).toBe(false);
  await close();
});

test("a browser without WebGPU is told so", async () => {
  const page = await browser.newPage();
  await page.addInitScript(() => {
    Reflect.deleteProperty(Navigator.prototype, "gpu");
  });
  await page.goto(address);
  await page.getByRole("alert").getByText("This browser has no WebGPU").waitFor();
  expect(await page.getByRole("button").count()).toBe(0);
  await page.close();
});

test("a missing adapter ends the run with what is needed", async () => {
  const file = join(folder, "text.txt");
  await writeFile(file, "Call me Ishmael. ".repeat(100));
  const { args, ...launch } = chromiumLaunch();
  // WebGPU is on offer, but no adapter.
  const bare = await chromium.launch({ ...launch, args: args.filter((flag) => !/webgpu|Vulkan/.test(flag)) });
  try {
    const page = await bare.newPage();
    await page.goto(address);
    const button = page.getByRole("button", { name: "Train" });
    if ((await button.count()) > 0) {
      await page.getByLabel("Text").setInputFiles(file);
      await button.click();
    }
    await page.getByRole("alert").filter({ hasText: "WebGPU" }).waitFor();
  } finally {
    await bare.close();
  }
});
