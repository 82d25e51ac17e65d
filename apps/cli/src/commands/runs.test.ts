import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { listRuns } from "@webmoe/trainer/node";
import { expect, test } from "vitest";
import { summarizeRun } from "../run-summary";
import { runsTable } from "./runs";

const folder = await mkdtemp(join(tmpdir(), "webmoe-runs-"));

async function writeRun(name: string, config: object, metrics?: string) {
  await mkdir(join(folder, name));
  await writeFile(join(folder, name, "config.json"), JSON.stringify({ config }));
  if (metrics !== undefined) await writeFile(join(folder, name, "metrics.jsonl"), metrics);
  return join(folder, name);
}

const config = { preset: "nano", router: { name: "recurrent" }, train: { steps: 30 } };

test("a run is summed up by its last step and its last validation; a line cut off is passed over", async () => {
  const lines = [
    { step: 10, loss: 3, tokensPerSecond: 900, elapsedSeconds: 5 },
    { step: 10, split: "validation", loss: 2.9, bitsPerByte: 4.184 },
    { step: 20, loss: 2.5, tokensPerSecond: 1234, elapsedSeconds: 75 },
  ];
  const path = await writeRun(
    "one",
    config,
    `${lines.map((line) => JSON.stringify(line)).join("\n")}\n{"step": 21, "lo`,
  );
  const summary = await summarizeRun(path);
  expect(summary).toMatchObject({
    name: "one",
    router: "recurrent",
    step: 20,
    steps: 30,
    loss: 2.5,
    elapsedSeconds: 75,
  });
  expect(stripVTControlCharacters(runsTable([summary])).split("\n")).toEqual([
    "run  preset  router      step    loss       validation  tokens/s   time",
    "one  nano    recurrent  20/30  2.5000  4.184 bits/byte     1.23k  1m15s",
  ]);
});

test("a run that ended in losses that are no numbers is listed with that", async () => {
  const lines = [
    { step: 7, loss: Number.NaN, tokensPerSecond: 1234, elapsedSeconds: 75 },
    { step: 7, split: "validation", loss: Number.NaN, bitsPerByte: Number.NaN },
  ];
  const path = await writeRun("nan", config, lines.map((line) => JSON.stringify(line)).join("\n"));
  expect(stripVTControlCharacters(runsTable([await summarizeRun(path)])).split("\n")[1]).toBe(
    "nan  nano    recurrent  7/30  not finite  not finite     1.23k  1m15s",
  );
  await rm(path, { recursive: true });
});

test("a run that has only begun is listed, and what is no run is not", async () => {
  const path = await writeRun("two", { ...config, router: { name: "linear" } });
  await mkdir(join(folder, "other"));
  expect(await summarizeRun(path)).toMatchObject({ name: "two", router: "linear", step: 0, loss: undefined });
  expect((await listRuns(folder)).map((run) => run.path).sort()).toEqual([join(folder, "one"), path]);
  await expect(summarizeRun(join(folder, "other"))).rejects.toThrow("has no config.json");
});
