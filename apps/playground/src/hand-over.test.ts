// A run that goes from the page to Node, and one that goes from Node to the page, are one run bit for bit. Both sides compute on
// SwiftShader with the same features, so that they run the same kernels.

import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { unzipSync, zipSync } from "fflate";
import { afterAll, beforeAll, expect, test } from "vitest";
import { downloaded, metricsOf, press, small, status } from "./testing/page-actions";
import { openSite, type Site } from "./testing/site";
import { trainInNode } from "./testing/train-in-node";

let site: Site;
/** The run of 14 steps in Node that nobody interrupts. */
let unbroken: RunFiles;

/** The files of a run folder, by their paths there. */
type RunFiles = Map<string, Uint8Array>;

// The learning rate does not depend on how many steps there will be.
const settings = ["batch.size=2", "schedule.warmup=2", "schedule.name=constant", "checkpoint.every=5"];
const others = ["validation.every=50", "sample.tokens=0"];
const address = `${small}&schedule.name=constant&checkpoint.every=5&sample.tokens=0&seed=3`;

beforeAll(async () => {
  site = await openSite();
  unbroken = await nodeRun("unbroken", "14");
}, 600_000);

afterAll(() => site?.close());

/** A run of the preset in Node, from its beginning. */
async function nodeRun(name: string, steps: string): Promise<RunFiles> {
  const out = join(site.folder, name);
  const set = [...settings, ...others].flatMap((setting) => ["--set", setting]);
  await trainInNode("--preset", "nano", "--steps", steps, "--seed", "3", ...set, "--out", out);
  return filesBelow(out);
}

async function filesBelow(folder: string): Promise<RunFiles> {
  const entries = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const paths = entries.map(({ parentPath, name }) => join(parentPath, name));
  return new Map(
    await Promise.all(paths.map(async (path) => [path.slice(folder.length + 1), await readFile(path)] as const)),
  );
}

async function writeFiles(folder: string, files: RunFiles): Promise<void> {
  for (const [path, bytes] of files) {
    await mkdir(join(folder, path, ".."), { recursive: true });
    await writeFile(join(folder, path), bytes);
  }
}

/** An exported run: a zip of one folder. */
const unzipped = (zip: Uint8Array): RunFiles =>
  new Map(Object.entries(unzipSync(zip)).map(([path, bytes]) => [path.replace(/^[^/]+\//, ""), bytes]));

function zipped(name: string, files: RunFiles) {
  const entries = Object.fromEntries([...files].map(([path, bytes]) => [`${name}/${path}`, bytes]));
  return { name: `${name}.zip`, mimeType: "application/zip", buffer: Buffer.from(zipSync(entries, { level: 0 })) };
}

const text = (files: RunFiles, path: string) => Buffer.from(files.get(path)!).toString();

/** The loss of every step, without validations. */
const losses = (files: RunFiles) =>
  metricsOf(text(files, "metrics.jsonl")).flatMap(({ step, loss, split }) => (split ? [] : [[step, loss]]));

const checkpoint = (step: number) => `checkpoints/step-${String(step).padStart(8, "0")}`;

/** The checkpoint of a step is that of the unbroken run: its files have the same bytes. */
function expectCheckpoint(files: RunFiles, step: number): void {
  for (const part of ["model.safetensors", "optimizer.safetensors"]) {
    const path = `${checkpoint(step)}/${part}`;
    expect(Buffer.compare(files.get(path)!, unbroken.get(path)!), path).toBe(0);
  }
  const path = `${checkpoint(step)}/state.json`;
  // The end of a run is validated, what is no end elsewhere is not.
  const [state, other] = [files, unbroken].map((run) => ({ ...JSON.parse(text(run, path)), validationLoss: 0 }));
  expect(state).toEqual(other);
}

test("a run begun in the page goes on in Node", { timeout: 600_000 }, async () => {
  const { page, close } = await site.open(`#${address}&train.steps=10`);
  await press(page, "Train");
  await status(page, "Done");
  const begun = unzipped(await downloaded(page, "Export"));
  await close();
  const named = [...unbroken.keys()].filter((name) => !/^(tokenizer\.json|events|report|.*step-00000014)/.test(name));
  expect([...begun.keys()].sort()).toEqual(named.sort());
  expect(losses(begun)).toEqual(losses(unbroken).slice(0, 10));
  expectCheckpoint(begun, 5);
  expectCheckpoint(begun, 10);

  const folder = join(site.folder, "begun-in-page");
  await writeFiles(folder, begun);
  await trainInNode("--resume", folder, "--steps", "14");
  const ended = await filesBelow(folder);
  expect(losses(ended)).toEqual(losses(unbroken));
  expectCheckpoint(ended, 14);
});

test("a run begun in Node goes on in the page", { timeout: 600_000 }, async () => {
  const begun = await nodeRun("begun-in-node", "10");
  const { page, close } = await site.open("#train.steps=14&sample.tokens=0");
  await page.getByLabel("Import zip").setInputFiles(zipped("begun-in-node", begun));
  const kept = unzipped(await downloaded(page, "Export"));
  for (const [path, bytes] of kept) expect(Buffer.compare(bytes, begun.get(path)!), path).toBe(0);
  await press(page, "Go on");
  await status(page, "Done");
  const ended = unzipped(await downloaded(page, "Export"));
  await close();
  expect(losses(ended)).toEqual(losses(unbroken));
  expectCheckpoint(ended, 14);
});
