// Two public data sets that lie beside the repository, a few classes and texts of each.

import { existsSync } from "node:fs";
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { inflateRawSync } from "node:zlib";
import type { Example } from "@webmoe/data";
import { readExamples } from "@webmoe/data/node";
import { parseSafetensors } from "@webmoe/tensor/files";
import { expect, test } from "vitest";
import { sets, webmoeIn } from "../run-webmoe";

const data = fileURLToPath(new URL("../../../../../shared/data", import.meta.url));
/** Whoever clones the repository alone does not have them; `.ci/run`, which fails where a test is skipped, needs them. */
const withData = test.skipIf(!existsSync(data));
const folder = await mkdtemp(join(tmpdir(), "webmoe-classify-"));
const webmoe = webmoeIn(folder, { WEBMOE_CACHE: join(folder, "cache") });
const small = sets(
  "model.dim=32",
  "model.context=32",
  "moe.hidden=16",
  "batch.size=16",
  "optimizer.lr=0.01",
  "log.every=20",
);

const writeRows = (name: string, rows: Example[]) =>
  writeFile(join(folder, name), rows.map((row) => JSON.stringify(row)).join("\n"));

/** The tensors of a run's last checkpoint. */
async function tensorsOf(run: string, step: number) {
  const path = join(folder, run, `checkpoints/step-${`${step}`.padStart(8, "0")}`, "model.safetensors");
  return parseSafetensors(await readFile(path));
}

withData(
  "BANKING77: learned from scratch, judged, and fine-tuned with a frozen router",
  { timeout: 400_000 },
  async () => {
    const classes = ["age_limit", "exchange_rate", "passcode_forgotten", "lost_or_stolen_phone"];
    for (const part of ["train", "test"]) {
      const all = await readExamples(join(data, "banking77", `${part}.csv`), { label: "category" });
      expect(all).toHaveLength(part === "train" ? 10_003 : 3080);
      expect(new Set(all.map(({ label }) => label)).size).toBe(77);
      await writeRows(
        `${part}.jsonl`,
        all.filter(({ label }) => classes.includes(label)),
      );
    }
    const classify = ["--task", "classify", "--data", "train.jsonl", ...sets("classification.validation=test.jsonl")];
    const words = sets("tokenizer.name=bpe", "tokenizer.vocab=512");
    const scratch = await webmoe("train", ...classify, ...words, ...small, "--steps", "40", "--out", "scratch");
    expect([scratch.code, scratch.error]).toEqual([0, ""]);
    expect(scratch.out).toContain("448 texts of 4 classes, 160 held out, in 512 bpe tokens");
    expect(scratch.out).toMatch(/confusion {2}rows are classes/);

    const judged = JSON.parse((await webmoe("eval", "--from", "scratch", "--json")).out);
    expect(judged.accuracy).toBeGreaterThan(0.6); // chance is 0.25
    const sum = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0);
    expect(judged.confusion.map(sum)).toEqual([40, 40, 40, 40]);
    const found = sum(judged.confusion.map((row: number[], label: number) => row[label]));
    expect(judged.accuracy).toBeCloseTo(found / 160, 10);
    expect(scratch.out).toContain(`accuracy ${(100 * judged.accuracy).toFixed(2)} %`);

    expect((await webmoe("train", "--data", "train.jsonl", ...small, "--steps", "3", "--out", "language")).code).toBe(
      0,
    );
    const from = ["--init-from", "language", "--freeze", "router"];
    const tuned = await webmoe(
      "train",
      ...classify,
      ...from,
      ...sets("batch.size=16"),
      "--steps",
      "2",
      "--out",
      "tuned",
    );
    expect([tuned.code, tuned.error]).toEqual([0, ""]);
    expect(tuned.out).toContain("start    step 3 of language; fresh: score.weight");
    const [before, after] = [await tensorsOf("language", 3), await tensorsOf("tuned", 2)];
    const same = [...after.keys()].filter(
      (name) => before.has(name) && `${before.get(name)!.values}` === `${after.get(name)!.values}`,
    );
    const isRouter = (name: string) => /\.mlp\.gate\.|^model\.router\./.test(name);
    expect(same.sort()).toEqual([...before.keys()].filter(isRouter).sort());
    expect(same.length).toBeGreaterThan(4);
  },
);

withData(
  "sentence polarity: a few sentences of the two classes are learned by heart",
  { timeout: 300_000 },
  async () => {
    const archive = await readFile(join(data, "sentence-polarity", "sentence_polarity.zip"));
    const rows = ["neg", "pos"].flatMap((label) => {
      const sentences = fileOf(archive, `sentence_polarity/rt-polarity.${label}`).toString("latin1").trim().split("\n");
      return sentences.map((text) => ({ text: text.trim(), label }));
    });
    expect(rows).toHaveLength(2 * 5331);
    await writeRows("polarity.jsonl", [...rows.slice(0, 32), ...rows.slice(-32)]);
    const words = sets("tokenizer.name=bpe", "tokenizer.vocab=512", "classification.validation=polarity.jsonl");
    const args = ["--task", "classify", "--data", "polarity.jsonl", "--steps", "32", "--out", "polarity"];
    const { code, out, error } = await webmoe("train", ...args, ...words, ...small);
    expect([code, error]).toEqual([0, ""]);
    expect(out).toContain("64 texts of 2 classes, 64 held out");
    expect(Number(out.match(/accuracy ([\d.]+) %/)![1])).toBeGreaterThan(85);
  },
);

/** One file of a zip archive, found in the directory at its end. */
function fileOf(archive: Buffer, name: string): Buffer {
  const end = archive.lastIndexOf("PK\x05\x06", undefined, "latin1");
  let entry = archive.readUInt32LE(end + 16);
  while (archive.toString("latin1", entry + 46, entry + 46 + archive.readUInt16LE(entry + 28)) !== name) {
    if (archive.readUInt32LE(entry) !== 0x02014b50) throw new Error(`zip: needs "${name}", and the archive has none`);
    entry +=
      46 + archive.readUInt16LE(entry + 28) + archive.readUInt16LE(entry + 30) + archive.readUInt16LE(entry + 32);
  }
  const [size, local] = [archive.readUInt32LE(entry + 20), archive.readUInt32LE(entry + 42)];
  const start = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
  return inflateRawSync(archive.subarray(start, start + size));
}
