// write-in-page.html on a server, as a web developer puts it there, in a real browser on a software adapter.

import { spawn } from "node:child_process";
import { copyFile, cp, mkdir, mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { adapterEnv } from "../../../tools/setup/adapter.mjs";
import { chromiumLaunch } from "../../../tools/setup/chromium.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const root = join(here, "../../..");
const resolve = createRequire(import.meta.url).resolve;
const types: Record<string, string> = { ".html": "text/html", ".js": "text/javascript", ".json": "application/json" };

let folder: string;
let server: Server;
let address: string;
let browser: Browser;

/** Run a program of Node on the adapter that the browser has, and return what it printed. */
async function run(args: string[], cwd = folder): Promise<string> {
  const env = { ...process.env, ...(await adapterEnv("swiftshader")), NO_COLOR: "1" };
  const child = spawn(process.execPath, args, { cwd, env });
  let [out, error] = ["", ""];
  child.stdout.on("data", (data) => (out += data));
  child.stderr.on("data", (data) => (error += data));
  const code = await new Promise((resolve) => child.on("close", resolve));
  expect(code, error).toBe(0);
  return out;
}

const webmoe = (...args: string[]) => run([resolve("tsx/cli"), join(root, "apps/cli/src/main.ts"), ...args]);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "webmoe-page-"));
  await copyFile(join(here, "write-in-page.html"), join(folder, "index.html"));
  const tsup = [resolve("tsup").replace(/index\.js$/, "cli-default.js"), "--config", "tsup.page.ts", "--silent"];
  await run([...tsup, "--out-dir", folder], join(root, "packages/browser"));
  const small = ["batch.size=1", "validation.batches=1", "sample.tokens=0"].flatMap((key) => ["--set", key]);
  await webmoe("train", "--steps", "4", "--out", "run", "--router", "loss-free", ...small);
  await webmoe("export", "--format", "web", "--from", "run", "--out", "model");
  server = createServer(async (request, response) => {
    const path = new URL(request.url!, "http://localhost").pathname;
    try {
      const content = await readFile(join(folder, path === "/" ? "index.html" : path));
      response.setHeader("content-type", types[extname(path)] ?? (path === "/" ? "text/html" : "")).end(content);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  address = `http://localhost:${(server.address() as AddressInfo).port}/`;
  browser = await chromium.launch(chromiumLaunch());
}, 300_000);

afterAll(async () => {
  await browser?.close();
  server?.close();
  await rm(folder, { recursive: true, force: true });
});

test("the page writes what Node writes with the same model and seed, and asks no other server", async () => {
  const page = await browser.newPage();
  const requests: string[] = [];
  page.on("request", (request) => requests.push(request.url()));
  await page.addInitScript("Math.random = () => 0");
  await page.goto(address);
  await page.getByLabel("Go on from").fill("Call me");
  await page.getByRole("button", { name: "Write" }).click();
  await page.getByRole("button", { name: "Write", disabled: false }).waitFor();
  const written = await page.locator("output").textContent();
  expect(requests.map((url) => url.replace(address, "")).sort()).toEqual([
    "",
    "model/config.json",
    "model/model.safetensors",
    "webmoe.js",
  ]);
  await page.close();

  const sampled = await webmoe("sample", "--from", "run", "--prompt", "Call me", "--seed", "0");
  expect(sampled).toBe(`${written}\n`);
});

/** What a program says in a page of the server, or the message of its error. */
async function inPage(program: string): Promise<string> {
  const page = await browser.newPage();
  await page.goto(address);
  const body = `import("./webmoe.js").then(async ({ openModel }) => { ${program} }).catch((error) => error.message)`;
  const said = await page.evaluate<string>(body);
  await page.close();
  return said;
}

test("the folder of a run is a model too, and writing stops where its loop is left", async () => {
  const program = `
    const model = await openModel("run", { checkpoint: "checkpoints/step-00000004" });
    let text = "";
    for await (const piece of model.generate("Call me", { tokens: 500, temperature: 0 })) {
      text += piece;
      if (text.length >= 5) break;
    }
    model.close();
    return text;`;
  const flags = ["--prompt", "Call me", "--tokens", "5", "--temperature", "0"];
  expect(`Call me${await inPage(program)}\n`).toBe(await webmoe("sample", "--from", "run", ...flags));
});

test("what is missing, damaged or of another kind is said in one line", async () => {
  const open = (folder: string, options = "{}") => inPage(`return String(await openModel("${folder}", ${options}));`);
  expect(await open("nowhere")).toBe(`openModel: needs ${address}nowhere/config.json, and the server answers 404`);
  await mkdir(join(folder, "other"));
  await writeFile(join(folder, "other/config.json"), '{"model_type":"llama"}');
  expect(await open("other")).toContain('needs a folder that "webmoe export --format web" or a run made');
  await cp(join(folder, "model"), join(folder, "cut"), { recursive: true });
  await truncate(join(folder, "cut/model.safetensors"), 5000);
  expect(await open("cut")).toContain("it is cut off");
  const { config } = JSON.parse(await readFile(join(folder, "model/config.json"), "utf8"));
  await writeFile(
    join(folder, "cut/config.json"),
    JSON.stringify({ config: { ...config, router: { name: "./own.ts" } } }),
  );
  expect(await open("cut")).toContain('needs options.router, as no router that comes with webmoe is called "./own.ts"');
});
