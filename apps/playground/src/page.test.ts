// The built page in a real browser, on a software adapter, served from a folder of a server as on a static host.

import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { strToU8, zipSync } from "fflate";
import { chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chromiumLaunch } from "../../../tools/setup/chromium.mjs";
import { accessibilityFaults } from "./testing/accessibility";
import { watchMainThread } from "./testing/main-thread";
import { downloaded, LONG, metricsOf, press, said, small, status, stepOf } from "./testing/page-actions";
import { openSite, type Site } from "./testing/site";

let site: Site;

beforeAll(async () => {
  site = await openSite();
});

afterAll(() => site?.close());

test("the first load of JavaScript is at most 200 kB", async () => {
  const { page, requests, close } = await site.open("");
  await page.getByRole("heading", { name: "webmoe" }).waitFor();
  await page.waitForLoadState("networkidle");
  await close();
  const scripts = requests.filter((url) => url.endsWith(".js"));
  const sizes = await Promise.all(
    scripts.map(async (url) => gzipSync(new Uint8Array(await (await fetch(url)).arrayBuffer()), { level: 9 }).length),
  );
  const total = sizes.reduce((sum, size) => sum + size, 0) / 1000;
  console.log(`first load: ${total.toFixed(1)} kB gzip in ${scripts.length} script(s)`);
  expect(scripts.length).toBeGreaterThan(0);
  expect(total).toBeLessThanOrEqual(200);
});

test("a run is shown by every panel, and its loss falls", { timeout: 600_000 }, async () => {
  const { page, requests, close } = await site.open(
    `#router.name=xmoe&${small}&train.steps=10&seed=3&sample.tokens=30&checkpoint.every=5`,
  );
  expect(await page.getByLabel("Steps", { exact: true }).inputValue()).toBe("10");
  await page.getByLabel("Router", { exact: true }).selectOption("recurrent");
  await press(page, "Train");
  await status(page, "Training");
  const mainThread = await watchMainThread(page);
  await status(page, "Done");
  // The thread's own time: on a busy machine the clock counts what others do.
  const { tasks, clock, processor } = await mainThread();
  console.log("main thread while training, in ms:", JSON.stringify({ tasks, clock, processor }));
  expect(processor.longest).toBeGreaterThan(0);
  expect(processor.over50).toBe(0);
  expect(page.url()).toBe(
    `${site.address}#seed=3&train.steps=10&batch.size=2&schedule.warmup=2&checkpoint.every=5&sample.tokens=30`,
  );

  // Every panel has something to say.
  expect(await page.getByText("step 10 of 10").count()).toBe(1);
  expect((await page.locator(".text").textContent())!.length).toBeGreaterThan(20);
  expect(await page.getByLabel("Expert load").getByRole("meter").count()).toBe(8);
  expect(await page.getByLabel("Cross-layer information").locator(".cell").count()).toBe(4);
  expect(await page.getByRole("table", { name: "Router entropy" }).getByRole("row").count()).toBe(3);
  const reader = page.getByLabel("Reader");
  await reader.locator(".token").nth(5).hover();
  expect(await reader.getByRole("figure").getAttribute("aria-label")).toMatch(
    /layer 0: expert \d and \d; layer 1: expert/,
  );
  await reader.getByRole("listbox").focus();
  await page.keyboard.press("ArrowRight");
  expect(await reader.locator(".token.chosen").getAttribute("data-at")).toBe("6");
  expect(await accessibilityFaults(page)).toEqual([]);
  const metrics = metricsOf(Buffer.from(await downloaded(page, "metrics.jsonl")).toString());
  await close();
  expect(requests.filter((url) => !url.startsWith(site.address) && !url.startsWith("blob:"))).toEqual([]);
  expect(metrics.filter(({ split }) => !split)).toHaveLength(10);
  expect(metrics[9]!.loss).toBeLessThan(metrics[0]!.loss - 0.5);
});

test("a run pauses, steps, is kept, writes, goes on and stops", { timeout: 600_000 }, async () => {
  const { page, close } = await site.open(`#${small}&train.steps=5000&sample.tokens=20`);
  await press(page, "Train");
  await status(page, "Training");
  await press(page, "Pause");
  await status(page, "Paused");
  // A step that is on the device when the pause begins still ends, however slow the machine is.
  const later = () => page.waitForTimeout(3000).then(() => stepOf(page));
  let paused = await stepOf(page);
  for (let next = await later(); next !== paused; next = await later()) paused = next;
  await press(page, "Step");
  await page.waitForFunction((last) => document.querySelector("progress")!.value === last + 1, paused);
  await press(page, "Keep");
  await page.getByText(`kept at step ${paused + 1}`).waitFor();

  const writer = page.getByRole("region", { name: "Write" });
  await writer.getByLabel("Prompt").fill("Call me ");
  await writer.getByLabel("Temperature").fill("0.5");
  await writer.getByLabel("Top-p").fill("0.9");
  await writer.getByLabel("Characters").fill("1000");
  await writer.getByRole("button", { name: "Write" }).click();
  await writer.locator(".token").nth(3).waitFor();
  await writer.getByRole("button", { name: "Stop writing" }).click();
  await writer.getByRole("button", { name: "Write", exact: true }).waitFor();
  expect(await writer.locator(".token").count()).toBeLessThan(1000);
  await writer.locator(".token").first().hover();
  expect(await writer.getByRole("figure").getAttribute("aria-label")).toMatch(/layer 1: expert \d/);

  await press(page, "Resume");
  await page.waitForFunction((last) => document.querySelector("progress")!.value > last + 1, paused);

  // A hidden tab may be thrown away: a checkpoint is kept when it goes.
  const hide = (hidden: boolean) =>
    page.evaluate((value) => {
      Object.defineProperty(document, "hidden", { value, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }, hidden);
  await hide(true);
  await page.waitForFunction(
    (last) => Number(/kept at step (\d+)/.exec(document.body.textContent)?.[1]) > last,
    paused + 1,
    { timeout: LONG },
  );
  await hide(false);
  await status(page, "The tab was hidden");
  await press(page, "Stop");
  await status(page, "Stopped");
  const stopped = await stepOf(page);

  // What is kept outlives the page.
  await page.reload();
  await page.getByText(`step ${stopped},`).waitFor();
  await press(page, "Go on");
  await page.waitForFunction((last) => document.querySelector("progress")!.value > last, stopped, { timeout: LONG });
  await press(page, "Stop");
  await status(page, "Stopped");
  await press(page, "Forget");
  await press(page, "Really forget?");
  await page.getByText("Nothing is kept yet").waitFor();
  await close();
});

describe("texts", () => {
  test("of a file, pasted, and dropped are learned from", { timeout: 400_000 }, async () => {
    const { page, close } = await site.open(`#${small}&train.steps=2&sample.tokens=0`);
    const own = "All work and no play. ".repeat(100);
    await page
      .getByLabel("Text file")
      .setInputFiles({ name: "own.txt", mimeType: "text/plain", buffer: Buffer.from(own) });
    await page.getByText("Learns from own.txt").waitFor();
    await page.getByText("Paste a text").click();
    await page.getByLabel("Pasted text").fill(own);
    await press(page, "Learn from this");
    await page.getByText("Learns from pasted text").waitFor();
    const dropped = await page.evaluateHandle((text) => {
      const data = new DataTransfer();
      data.items.add(new File([text], "dropped.txt"));
      return data;
    }, own);
    await page.getByRole("region", { name: "Text" }).dispatchEvent("drop", { dataTransfer: dropped });
    await page.getByText("Learns from dropped.txt").waitFor();
    expect(page.url()).toContain("data=dropped.txt");
    await press(page, "Train");
    await status(page, "Done");
    await page.reload();
    await said(page, "An address cannot hold a text");
    await press(page, "Go on");
    await status(page, "Done");
    await page.getByText("Learns from dropped.txt").waitFor();
    await close();
  });

  test("and settings that cannot be trained with are said, and change nothing", async () => {
    const { page, close } = await site.open("");
    const give = (name: string, buffer: Buffer) =>
      page.getByLabel("Text file").setInputFiles({ name, mimeType: "text/plain", buffer });
    await give("empty.txt", Buffer.alloc(0));
    await said(page, 'data: needs text, and "empty.txt" is empty');
    await give("picture.txt", Buffer.from([0x89, 0x50, 0, 1, 2]));
    await said(page, '"picture.txt" looks binary');
    await give("short.txt", Buffer.from("Too short."));
    await said(page, "data: needs at least 650 bytes of text");
    expect(await page.getByText("Learns from Moby-Dick").count()).toBe(1);
    await page.getByLabel("Experts a token").fill("5");
    await page.getByText("needs at most moe.experts (4)").waitFor();
    expect(await page.getByRole("button", { name: "Train" }).isDisabled()).toBe(true);
    await page.getByLabel("Experts in").fill("8");
    expect(await page.getByRole("button", { name: "Train" }).isDisabled()).toBe(false);
    await page.getByLabel("Size", { exact: true }).selectOption("small");
    await page.getByLabel("Batch sequences").fill("256");
    await said(page, "One layer's experts need an array of");
    await page
      .getByLabel("Import zip")
      .setInputFiles({ name: "a.zip", mimeType: "application/zip", buffer: Buffer.from("no zip") });
    await said(page, "import: needs a zip file of a run folder");
    const config = strToU8(JSON.stringify({ config: { model: {}, task: "classify" } }));
    const classifier = Buffer.from(zipSync({ "a/config.json": config }));
    await page
      .getByLabel("Import zip")
      .setInputFiles({ name: "a.zip", mimeType: "application/zip", buffer: classifier });
    await said(page, "this run finds the class of a text");
    await close();
  });
});

test("two configurations race on the same batches", { timeout: 600_000 }, async () => {
  const { page, close } = await site.open(`#${small}&train.steps=4&sample.tokens=0`);
  await page.getByLabel("Race against another").check();
  await page.getByLabel("Rival's router").selectOption("hash");
  expect(page.url()).toContain("rival.router.name=hash");
  await press(page, "Train");
  await status(page, "Done");
  const race = page.getByRole("region", { name: "Race" }).filter({ has: page.getByRole("table") });
  expect(await race.getByRole("table").last().getByRole("row").count()).toBe(3);
  expect(await race.getByRole("row", { name: /^Hash/ }).textContent()).toMatch(/\d\.\d{3}.*\d+ s/);
  await race.getByText(/nats/).first().waitFor();
  await close();
});

test("a run that does not fit is refused before it trains, with settings that do", { timeout: 600_000 }, async () => {
  // Hidden values of 524,288 assignments are more than any browser binds as one array.
  const sizes = "moe.topK=4&moe.hidden=2048&model.layers=1&batch.size=256&model.context=512&model.heads=1";
  const { page, close } = await site.open(`#${sizes}&train.steps=1&sample.tokens=0`);
  await said(page, "One layer's experts need an array of");
  await press(page, "Train");
  await said(page, "The GPU has no room for this");
  const fitting = page.getByRole("list", { name: "Settings that fit" }).getByRole("listitem");
  expect(await fitting.allTextContents()).toEqual([
    expect.stringMatching(/^Take the same steps in smaller pieces.*batch\.size \d+, batch\.accumulate \d+: [\d.]+ .B$/),
    expect.any(String),
    expect.any(String),
  ]);
  await fitting.first().getByRole("button").click();
  expect(Number(await page.getByLabel("Batch sequences").inputValue())).toBeLessThan(256);
  expect(page.url()).toMatch(/batch\.accumulate=\d+/);
  expect(await page.getByRole("alert").count()).toBe(0);
  expect(await page.getByRole("button", { name: "Train" }).isDisabled()).toBe(false);
  await close();
});

describe("a router of the visitor's", () => {
  test("is checked, with errors at the line, then trained", { timeout: 600_000 }, async () => {
    const { page, close } = await site.open(`#router.name=code&${small}&train.steps=3&sample.tokens=0`);
    const code = page.getByLabel("Code of the router");
    const good = await code.inputValue();
    const verdict = page.locator("#code-verdict");
    const judged = async (text: string, wanted: RegExp) => {
      await code.fill(text);
      await press(page, "Check");
      await verdict.filter({ hasText: wanted }).waitFor({ timeout: 120_000 });
    };
    await judged(good.replace("shared: {},", "shared: {,"), /^Line 10: Unexpected token/);
    await judged(good.replace("shared: {},", "shared: nothing(),"), /^Line 10: nothing is not defined/);
    await judged(
      good.replace("silu(linear(x, layer.a))", "linear(x, layer.b)"),
      /^Line 16: .*matmul: inner sizes must match/,
    );
    await judged(
      good.replace("logits: linear(silu(linear(x, layer.a)), layer.b)", "logits: x"),
      /logits of layer 0 must have shape/,
    );
    await judged("export const x = 1;", /needs a default export/);
    const taken = "typeof indexedDB + typeof caches + typeof navigator.storage + typeof Worker";
    await judged(`throw new Error(${taken});`, /^Line 1: undefinedundefinedundefinedundefined/);
    await judged('fetch("https://example.com").catch(() => {}); export default 1;', /needs a default export/);
    await judged(good, /“my router” keeps the contract/);
    await press(page, "Train");
    await status(page, "Done");
    expect(page.url()).toContain("&code=import");
    await page.reload();
    await page.getByText("This code came with the address").waitFor();
    await close(/Content Security Policy|connect-src/);
  });
});

describe("faults", () => {
  test("a browser without WebGPU, or without an adapter, is told so", async () => {
    const { args, ...launch } = chromiumLaunch();
    const bare = await chromium.launch({ ...launch, args: args.filter((flag) => !/webgpu|Vulkan/.test(flag)) });
    try {
      const page = await bare.newPage();
      await page.goto(site.address);
      await said(page, "WebGPU");
      expect(await page.getByRole("button", { name: "Train" }).count()).toBe(0);
    } finally {
      await bare.close();
    }
  });

  test("a lost device and a broken worker lose nothing that was kept", { timeout: 600_000 }, async () => {
    // One step, so that what it kept is not taken for what the next run keeps.
    const { page, close } = await site.open(`#${small}&train.steps=1&sample.tokens=0`);
    await press(page, "Train");
    await status(page, "Done");
    // From here on the worker remembers its devices.
    const worker = () => page.workers().find((worker) => worker.url().startsWith("blob:"))!;
    await worker().evaluate(() => {
      const own = GPUAdapter.prototype.requestDevice;
      GPUAdapter.prototype.requestDevice = async function (...options) {
        const device = await own.apply(this, options);
        (globalThis as never as { device: GPUDevice }).device = device;
        return device;
      };
    });
    await page.getByLabel("Steps", { exact: true }).fill("5000");
    await page.getByText("More settings").click();
    await page.getByLabel("Keep every").fill("2");
    await press(page, "Train again");
    await page.getByText(/kept at step [2-9]/).waitFor({ timeout: LONG });
    await worker().evaluate(() => (globalThis as never as { device: GPUDevice }).device.destroy());
    await status(page, "The GPU went away at step");
    const before = await stepOf(page);
    await page.waitForFunction((last) => document.querySelector("progress")!.value > last, before, { timeout: LONG });

    await worker().evaluate(() => {
      setTimeout(() => {
        throw new Error("broken on purpose");
      });
    });
    await said(page, "The training worker broke");
    await page.getByRole("button", { name: /^Go on from step/ }).click();
    await status(page, "Training");
    await press(page, "Stop");
    await status(page, "Stopped");
    await close(/broken on purpose/);
  });
});

test("every control has a name and is reached by keyboard", { timeout: 300_000 }, async () => {
  const { page, close } = await site.open("#router.name=code&rival.router.name=hash");
  for (const summary of await page.locator("summary").all()) await summary.click();
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    expect(await accessibilityFaults(page), colorScheme).toEqual([]);
  }
  await page.evaluate(() => {
    const stops = document.querySelectorAll(
      "a[href], input, select, textarea, summary, button:enabled, [tabindex='0']",
    );
    const left = new Set([...stops].filter((stop) => stop.checkVisibility()));
    document.addEventListener("focusin", ({ target }) => left.delete(target as Element));
    Object.assign(globalThis, { left });
  });
  const left = () =>
    page.evaluate(() => [...(globalThis as never as { left: Set<Element> }).left].map(({ outerHTML }) => outerHTML));
  const before = (await left()).length;
  expect(before).toBeGreaterThan(30);
  await page.locator("h1").click();
  for (let stop = 0; stop < before; stop++) {
    // Tab indents in the editor, and leaves it after Escape.
    await page.keyboard.press("Escape");
    await page.keyboard.press("Tab");
  }
  expect(await left()).toEqual([]);
  await close();
});

test("the page fits narrow and wide windows, light and dark", { timeout: 300_000 }, async () => {
  for (const width of [360, 800, 1280]) {
    const { page, close } = await site.open("", {
      viewport: { width, height: 800 },
      colorScheme: width === 800 ? "dark" : "light",
    });
    await page.getByRole("heading", { name: "webmoe" }).waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth), `${width} px`).toBeLessThanOrEqual(width);
    const folder = process.env.WEBMOE_SCREENSHOTS;
    if (folder) await page.screenshot({ path: join(folder, `${width}.png`), fullPage: true });
    await close();
  }
});
