// The report in a real browser: what it shows, that it needs no network, and that keys do what clicks do.

import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { chromiumLaunch } from "../../../../tools/setup/chromium.mjs";
import { notesOn } from "../statistics/notes";
import type { LayerObservation } from "../statistics/observation";
import { routingStatistics } from "../statistics/routing-statistics";
import { reportPage } from "./report-page";

const [experts, topK, tokens] = [4, 2, 24];
const text = `Call me <b>Ishmael</b>. "1851"\n`.slice(0, tokens);

/** A layer whose tokens go to two experts by their number, the first with 3/4 of the weight. */
function layer(step: number): LayerObservation {
  const first = (t: number) => (t * step) % experts;
  const expert = Uint32Array.from({ length: tokens * topK }, (_, a) => (first(a >> 1) + (a & 1)) % experts);
  const probabilities = new Float32Array(tokens * experts);
  for (let t = 0; t < tokens; t++) {
    probabilities[t * experts + first(t)] = 0.75;
    probabilities[t * experts + ((first(t) + 1) % experts)] = 0.25;
  }
  const load = Float32Array.from({ length: experts }, (_, e) => expert.filter((one) => one === e).length);
  const weight = Float32Array.from(expert, (_, a) => (a & 1 ? 0.25 : 0.75));
  const choices = { expert, weight, probabilities };
  return { ...choices, load, stateNorms: { state: 1.5 }, ...(step > 1 && { zeroed: choices }) };
}

const layers = [layer(1), layer(3)];
const ids = Uint32Array.from(new TextEncoder().encode(text));
const textOf = (token: number) => String.fromCharCode(token);

let browser: Browser;
let page: Page;
const problems: string[] = [];

beforeAll(async () => {
  const statistics = routingStatistics([{ tokens: ids, loss: 2, layers }], { experts, topK, textOf, permutations: 20 });
  const figures = {
    router: "</script><script>alert(1)</script>",
    experts,
    topK,
    batchTokens: tokens,
    ...statistics,
    layers: statistics.layers.map((figures, block) => ({
      ...figures,
      block,
      similarity: { whole: 0.75, offDiagonal: 0.01 },
      router: { gate: { norm: 1, std: 0.5 } },
      gradient: { whole: 3, languageModel: 2, balance: 1 },
    })),
    gradient: { router: { whole: 3, languageModel: 2, balance: 1 } },
  };
  const html = await reportPage({
    title: `How ${figures.router} routes`,
    subtitle: "a test",
    figures: { ...figures, notes: notesOn({ ...figures, laterTokens: 0.5 }) },
    reader: { texts: [...text], sequence: 12, layers },
  });
  expect(html.length).toBeLessThan(60_000);
  const path = join(await mkdtemp(join(tmpdir(), "webmoe-report-")), "report.html");
  await writeFile(path, html);
  browser = await chromium.launch(chromiumLaunch());
  page = await browser.newPage();
  page.on("console", (message) => problems.push(message.text()));
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("request", (request) => {
    if (!request.url().startsWith("file:")) problems.push(request.url());
  });
  await page.goto(pathToFileURL(path).href);
}, 120_000);

afterAll(() => browser?.close());

test("it shows every part, keeps hostile names as text, and asks for nothing", async () => {
  expect(await page.locator("h1").textContent()).toBe("How </script><script>alert(1)</script> routes");
  expect(await page.locator("h2").allTextContents()).toEqual([
    "Layers",
    "Load",
    "Gate entropy",
    "Information between layers",
    "Reader",
    "Specialisation",
    "The state between layers",
    "Gradient of the router",
    "Weights",
  ]);
  expect(await page.locator(".notes").textContent()).toContain("unfit for token-by-token sampling");
  expect(await page.locator("#text").textContent()).toBe(text);
  expect(problems).toEqual([]);
});

test("it opens with figures that say most, and with the path of a token", async () => {
  const tiles = await page.locator(".glance div").allTextContents();
  expect(tiles).toHaveLength(6);
  expect(tiles[0]).toBe("nats a token, cross entropy2.000");
  expect(tiles[2]).toMatch(/^of tokens at the busiest expert, in layer [01]; even is 50\s%/);
  expect(tiles[3]).toBe("experts without a token0 of 8");
  expect(tiles[5]).toBe("of first choices change without the state, in layer 10\u00a0%");
  expect(await page.locator(".path h3").textContent()).toBe('Token 5: "m"');
  expect(await page.evaluate(() => document.activeElement === document.body)).toBe(true);
});

test("a click shows a token's path through all layers, and arrow keys go on", async () => {
  await page.locator(".token").nth(7).click();
  expect(await page.locator(".path h3").textContent()).toBe(`Token 7: ${JSON.stringify(text[7])}`);
  expect(await page.locator(".hop").count()).toBe(2);
  expect(await page.locator(".hop").first().locator(".chip").allTextContents()).toEqual([
    "expert 3 × 0.75",
    "expert 0 × 0.25",
  ]);
  await page.keyboard.press("ArrowRight");
  expect(await page.locator(".path h3").textContent()).toContain("Token 8:");
  expect(await page.locator(".hop").last().locator(".chip").first().textContent()).toBe("expert 0 × 0.75");
  await page.keyboard.press("Home");
  expect(await page.locator('.token[aria-selected="true"]').count()).toBe(1);
  expect(await page.locator(".path h3").textContent()).toContain("Token 0:");
});

test("another layer's classes and colours are chosen by a list", async () => {
  const colour = () =>
    page
      .locator(".token")
      .nth(1)
      .evaluate((token) => (token as HTMLElement).style.backgroundColor);
  const before = await colour();
  await page.locator("#layer").selectOption("1");
  expect(await colour()).not.toBe(before);
  await page.locator("#classes").selectOption("1");
  expect(await page.locator("[data-of=classes]:visible").getAttribute("data-layer")).toBe("1");
});

test.each([360, 800, 1400])("nothing is cut off at a width of %i", async (width) => {
  await page.setViewportSize({ width, height: 800 });
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
  }
  expect(problems).toEqual([]);
});
