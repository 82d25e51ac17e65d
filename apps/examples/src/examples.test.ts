import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { expect, test } from "vitest";

const here = fileURLToPath(new URL(".", import.meta.url));
const root = join(here, "../../..");
const tsx = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;

/** Run Node with TypeScript on, and return what it printed; anything but success is an error. */
function run(args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const { FORCE_COLOR: _, ...environment } = process.env;
    const env = { ...environment, NO_COLOR: "1" };
    const child = spawn(process.execPath, ["--import", tsx, ...args], { cwd: here, env });
    let out = "";
    let error = "";
    child.stdout.on("data", (data) => {
      out += data;
    });
    child.stderr.on("data", (data) => {
      error += data;
    });
    child.on("error", reject);
    child.on("close", (code) => (code === 0 ? resolve(out) : reject(new Error(`exit code ${code}: ${error}${out}`))));
  });
}

/** The numbers that follow a word, line by line. */
const numbersAfter = (word: string, text: string) =>
  [...text.matchAll(new RegExp(`${word} +(-?[\\d.]+(?:e-?\\d+)?)`, "g"))].map((match) => Number(match[1]));

const readme = () => readFile(join(root, "README.md"), "utf8");
const blocks = (markdown: string) => [...markdown.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1]!);

test("train-tiny-model learns its sentence and writes some of it", async () => {
  const out = await run([join(here, "train-tiny-model.ts")]);
  const losses = numbersAfter("loss", out);
  expect(losses).toHaveLength(6);
  expect(losses.at(-1)).toBeLessThan(0.7);
  expect(out).toMatch(/validation {2}\d/);
  expect(out).toContain("She sells");
});

test("first-gradient prints the gradient of a cube", async () => {
  expect(await run([join(here, "first-gradient.ts")])).toBe("sum of x^3 = 36\nits gradient 3 x^2 = 3 12 27\n");
});

test("train-linear-layer finds the weights that its data was made with", async () => {
  expect(await run([join(here, "train-linear-layer.ts")])).toContain("weight 2.00 -0.50");
});

test("moe-layer sends every token to two experts", async () => {
  const out = await run([join(here, "moe-layer.ts")]);
  const load = /expert: ([\d ]+)/.exec(out)![1]!.split(" ").map(Number);
  expect(load).toHaveLength(8);
  expect(load.reduce((a, b) => a + b)).toBe(128);
  expect(numbersAfter("balance loss", out)[0]).toBeGreaterThan(0.9);
});

test("own-training-loop learns its sentence", async () => {
  const losses = numbersAfter("loss", await run([join(here, "own-training-loop.ts")]));
  expect(losses).toHaveLength(3);
  expect(losses[2]).toBeLessThan(2);
});

test("inspect-routing shows the experts of every character of a run's model", async () => {
  const out = join(await mkdtemp(join(tmpdir(), "webmoe-examples-")), "run");
  const flags = ["--steps", "2", "--out", out, "--set", "sample.tokens=0"];
  await run([join(root, "apps/cli/src/main.ts"), "train", ...flags]);
  const printed = await run([join(here, "inspect-routing.ts"), out, "whale"]);
  expect(printed).toMatch(/layer 1 {2}tokens of each expert/);
  expect(printed).toMatch(/^"e" {3}[0-3]\+[0-3] {2}[0-3]\+[0-3]$/m);
});

test("every example is a program of under 60 lines", async () => {
  for (const name of (await readdir(here)).filter((name) => !name.includes(".test."))) {
    expect((await readFile(join(here, name), "utf8")).split("\n").length, name).toBeLessThan(60);
  }
});

test("custom-router keeps the contract and trains, and every token reaches two experts in both layers", async () => {
  const out = await run([join(here, "custom-router.ts")]);
  const losses = numbersAfter("loss", out);
  expect(losses.at(-1)).toBeLessThan(losses[0]! - 1);
  expect(out).toContain("the router keeps its contract");
  const loads = [...out.matchAll(/expert: ([\d ]+)/g)].map((match) => match[1]!.split(" ").map(Number));
  expect(loads).toHaveLength(2);
  for (const load of loads) expect(load.reduce((a, b) => a + b) % (2 * 4 * 64)).toBe(0);
});

test("own-op finds the numbers that its data was made with", async () => {
  const out = await run([join(here, "own-op.ts")]);
  expect(numbersAfter("amplitude", out)[0]).toBeCloseTo(1.5, 1);
  expect(numbersAfter("decay", out)[0]).toBeCloseTo(0.4, 1);
  expect(numbersAfter("pace", out)[0]).toBeCloseTo(3, 1);
});

test("compare-routers prints one loss for each of three routers", async () => {
  const losses = numbersAfter("loss", await run([join(here, "compare-routers.ts")]));
  expect(losses).toHaveLength(3);
  for (const loss of losses) expect(loss).toBeLessThan(4);
  expect(new Set(losses).size).toBe(3);
});

test("my-router is loaded by the command line, with its option", async () => {
  const out = join(await mkdtemp(join(tmpdir(), "webmoe-examples-")), "run");
  const flags = ["--router", join(here, "my-router.ts"), "--set", "router.hidden=8", "--steps", "2", "--out", out];
  const printed = await run([join(root, "apps/cli/src/main.ts"), "train", ...flags]);
  expect(printed).toContain("router   mlp");
  const header = await readFile(join(out, "checkpoints/step-00000002/model.safetensors"), "latin1");
  expect(header).toContain('"model.layers.1.mlp.gate.b":{"dtype":"F32","shape":[4,8]');
});

test("the README's first program runs", async () => {
  const [program] = blocks(await readme());
  const losses = numbersAfter("loss", await run(["--input-type=module", "--eval", program!]));
  expect(losses.at(-1)).toBeLessThan(losses[0]!);
});

test("the README shows my-router.ts as it is", async () => {
  const withoutHead = (text: string) => text.slice(text.indexOf("import")).trim();
  expect(blocks(await readme()).map(withoutHead)).toContain(
    withoutHead(await readFile(join(here, "my-router.ts"), "utf8")),
  );
});
