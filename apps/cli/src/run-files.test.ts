import { mkdir, mkdtemp, rename, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { resolveConfig } from "./config/resolve";
import { findRunFiles } from "./run-files";
import { sets, webmoeIn } from "./run-webmoe";

const folder = await mkdtemp(join(tmpdir(), "webmoe-run-files-"));

test("texts are where the run began, or else in its folder; names and what is nowhere stay", async () => {
  const [began, run] = [join(folder, "began"), join(folder, "run")];
  await Promise.all([began, run].map((path) => mkdir(path)));
  await writeFile(join(began, "both.txt"), "");
  await writeFile(join(began, "enwik8"), "");
  await writeFile(join(run, "both.txt"), "");
  await writeFile(join(run, "mine.ts"), "");
  const found = (...settings: string[]) => findRunFiles(resolveConfig({ set: settings }), { began, run });
  expect(found("data=both.txt").data).toBe(join(began, "both.txt"));
  expect(found("data=none.txt").data).toBe("none.txt");
  expect(found("data=enwik8").data).toBe("enwik8");
  expect(found("router.name=/elsewhere/mine.ts").router.name).toBe(join(run, "mine.ts"));
  expect(found("router.name=linear").router.name).toBe("linear");
  expect(findRunFiles(resolveConfig({ set: ["data=runs/x/both.txt"] }), { run }).data).toBe(join(run, "both.txt"));
});

test("a run is evaluated and gone on with from any folder, also after it was moved", async () => {
  await writeFile(join(folder, "own text.txt"), "It was the best of times, it was the worst of times. ".repeat(40));
  const elsewhere = join(folder, "else where");
  await mkdir(elsewhere);
  const small = sets("model.dim=16", "model.context=16", "batch.size=2", "moe.hidden=8", "sample.tokens=0");
  const trained = await webmoeIn(folder)("train", ...small, "--steps", "2", "--data", "own text.txt", "--out", "a run");
  expect(trained.out).toContain("sample --from 'a run' --prompt");
  await rename(join(folder, "a run"), join(elsewhere, "moved"));
  const webmoe = webmoeIn(elsewhere);
  const evaluated = await webmoe("eval", "--from", "moved", "--batches", "1");
  expect(evaluated.error).toBe("");
  expect(evaluated.out).toContain("step 2: ");
  const resumed = await webmoe("train", "--resume", "moved", "--steps", "3");
  expect(resumed.error).toBe("");
  expect(resumed.out).toContain("step 3/3");
}, 120_000);
