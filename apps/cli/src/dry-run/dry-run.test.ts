import { access, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { sets, webmoeIn } from "../run-webmoe";
import type { DryRun } from "./dry-run-text";

const folder = await mkdtemp(join(tmpdir(), "webmoe-dry-run-"));
const webmoe = webmoeIn(folder);
const small = sets("model.dim=16", "model.context=16", "batch.size=4", "moe.hidden=8", "router.dim=8");
const dryRun = (...args: string[]) => webmoe("train", "--dry-run", ...small, ...args);

test("a dry run says what a run would take, and leaves nothing", async () => {
  const { code, out, error } = await dryRun("--steps", "50");
  expect(error).toBe("");
  expect(code).toBe(0);
  for (const line of [
    /^ {2}experts +\d+/m,
    /^ {2}router +\d+/m,
    /^ {2}optimizer +[\d.]+ KiB$/m,
    /^ {2}activations +[\d.]+ [KM]iB$/m,
    /^ {2}logits +[\d.]+ KiB$/m,
    /^work .*FLOPs a token; 3\.2k tokens in 50 steps of 64$/m,
    /^time +about \S+: \S+ tokens\/s in \d+ steps on \S/m,
    /^memory +fits/m,
  ]) {
    expect(out).toMatch(line);
  }
  await expect(access(join(folder, "runs"))).rejects.toThrow("ENOENT");
});

test("what does not fit is refused with settings that do, and those run", async () => {
  const limit = sets("memory.limit=0.0005");
  const dry = await dryRun("--json", ...limit);
  expect(dry.code).toBe(1);
  const { fits, fit } = JSON.parse(dry.out) as DryRun;
  expect(fits).toBe(false);
  expect(fit.memory!.total).toBeGreaterThan(0.0005 * 2 ** 30);
  expect(fit.fitting).toHaveLength(3);
  const train = (...args: string[]) => webmoe("train", ...small, ...limit, "--steps", "2", ...args);
  const refused = await train("--out", "refused");
  expect(refused.code).toBe(1);
  expect(refused.error).toMatch(
    /^webmoe: train: needs \S+ KiB on the device, where the limit is 524 KiB\n {2}parameters /,
  );
  const offer = refused.error.split("\n").find((line) => line.startsWith("  batch.size="))!;
  const settings = offer.trim().split(/ {2,}/)[0]!.split(" ");
  const taken = await train("--out", "taken", ...sets(...settings));
  expect(taken.code).toBe(0);
});

test("a dry run is of a run that begins", async () => {
  expect(await dryRun("--resume", "auto")).toMatchObject({ code: 2 });
  expect(await webmoe("train", "--json")).toMatchObject({ code: 2 });
});
