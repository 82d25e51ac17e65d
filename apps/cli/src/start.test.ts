import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { sets, webmoeIn } from "./run-webmoe";

const folder = await mkdtemp(join(tmpdir(), "webmoe-start-"));
const webmoe = webmoeIn(folder);
const quick = sets("batch.size=2", "sample.tokens=0", "validation.batches=2", "moe.balanceLoss=0");
const small = sets("model.dim=16", "model.context=16", "moe.hidden=8");

/** The last validation of a run. */
async function validationOf(run: string): Promise<number> {
  const lines = (await readFile(join(folder, run, "metrics.jsonl"), "utf8")).trim().split("\n");
  return lines.map((line) => JSON.parse(line)).findLast(({ split }) => split === "validation").loss;
}

test("--upcycle starts experts from the layers of a dense run, and the model begins as that one ended", {
  timeout: 300_000,
}, async () => {
  const dense = await webmoe(
    ...["train", ...small, ...quick, ...sets("moe.denseLayers=[0,1]"), "--steps", "4", "--out", "dense"],
  );
  expect([dense.code, dense.error]).toEqual([0, ""]);
  const from = ["--init-from", "dense", "--upcycle"];
  const still = ["--steps", "1", ...sets("optimizer.lr=0")];
  const sparse = await webmoe("train", ...from, "--router", "linear", ...quick, ...still, "--out", "sparse");
  expect([sparse.code, sparse.error]).toEqual([0, ""]);
  expect(sparse.out).toContain("start    step 4 of dense; fresh: model.layers.0.mlp.gate.weight, model.layers.1");
  expect(await validationOf("sparse")).toBeCloseTo(await validationOf("dense"), 5);
  const { config } = JSON.parse(await readFile(join(folder, "sparse/config.json"), "utf8"));
  expect(config.start).toEqual({ from: "dense", upcycle: true });
  expect(config.moe).toMatchObject({ experts: 4, hidden: 16 }); // as wide as a dense layer
  expect(config.moe.denseLayers).toBeUndefined();

  const earlier = await webmoe("eval", "--from", "dense/checkpoints/step-00000004", "--batches", "2");
  expect([earlier.code, earlier.error]).toEqual([0, ""]);
  const missing = await webmoe("eval", "--from", "dense/checkpoints/step-00000003");
  expect(missing.error).toBe('webmoe: --from: run folder: needs a checkpoint of step 3, and "dense" has none\n');
  expect(missing.code).toBe(2);

  const again = await webmoe("train", "--init-from", "sparse", "--upcycle", "--out", "never");
  expect(again.error).toContain("--upcycle: needs the run of a dense model, and this one has experts already");
  expect(again.code).toBe(2);
  const nothing = await webmoe("train", "--upcycle", "--out", "never");
  expect(nothing.error).toContain("--upcycle: needs --init-from with the run of a dense model");
  expect(nothing.code).toBe(2);
});

test("sample --averaged writes with the averaged weights, and names a run that has none", {
  timeout: 300_000,
}, async () => {
  // After two steps the average is still next to the initial values, and the weights are far from them.
  const fast = sets("ema.decay=0.999", "optimizer.lr=0.3", "schedule.warmup=0");
  const run = await webmoe("train", ...small, ...quick, ...fast, "--steps", "2", "--out", "averaged");
  expect([run.code, run.error]).toEqual([0, ""]);
  const sample = (...flags: string[]) =>
    webmoe("sample", "--from", "averaged", "--tokens", "24", "--seed", "3", ...flags);
  const [plain, averaged] = [await sample(), await sample("--averaged")];
  expect([averaged.code, averaged.error]).toEqual([0, ""]);
  expect(averaged.out.startsWith("The ")).toBe(true);
  expect(averaged.out).not.toBe(plain.out);
  const loss = async (...flags: string[]) =>
    JSON.parse((await webmoe("eval", "--from", "averaged", "--json", ...flags)).out).loss;
  const initial = await loss("--averaged");
  expect(initial).toBeCloseTo(Math.log(256), 1);
  expect(Math.abs((await loss()) - initial)).toBeGreaterThan(0.02);

  const none = await webmoe("sample", "--from", "dense", "--averaged");
  expect(none.error).toMatch(/^webmoe: checkpoint: has no averaged weights: train with --set ema\.decay=0\.999\n$/);
  expect(none.code).toBe(1);
});
