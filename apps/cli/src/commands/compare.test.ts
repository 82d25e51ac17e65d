import { access, mkdtemp, readFile, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { sets, webmoeIn } from "../run-webmoe";

const folder = await mkdtemp(join(tmpdir(), "webmoe-compare-"));
const webmoe = webmoeIn(folder);
const small = sets("model.dim=16", "model.context=16", "batch.size=2", "moe.hidden=8", "validation.batches=2");
const compare = (...args: string[]) => webmoe("compare", ...small, ...args);

test("a comparison stops, goes on, leaves out what is done, and reports", async () => {
  const routers = "linear,NP=recurrent:state=false:dim=8";
  const args = ["--routers", routers, "--seeds", "1,2,3", "--steps", "3", "--out", "a", "--match", "total"];
  const early = await compare(...args, "--stop-after", "0.001");
  expect(early.code).toBe(0);
  expect(early.out).toContain("stopped in");
  expect(early.out).toContain("0 of 6 runs");
  expect(early.out).toMatch(/go on with: .*compare .*--out a/);

  const whole = await compare(...args);
  expect(whole.code).toBe(0);
  expect(whole.out).toMatch(/match +NP: moe\.hidden/);
  expect(whole.out.match(/^(linear|NP) +[123] +\d/gm)).toHaveLength(6);
  expect(whole.out).toContain("difference to linear, 95 %");
  expect(whole.out).toContain("done in");
  const comparison = JSON.parse(await readFile(join(folder, "a/compare.json"), "utf8"));
  expect(comparison).toMatchObject({ complete: true, done: 6, baseline: "linear", match: "total", seeds: [1, 2, 3] });
  const [linear, noState] = comparison.routers;
  expect(noState.router).toEqual({ name: "recurrent", state: false, dim: 8 });
  expect(noState.validation.difference).toMatchObject({ seeds: 3, low: expect.any(Number), high: expect.any(Number) });
  expect(linear.size.router).toBe(2 * 16 * 4);
  expect(noState.memory.relative).toBeGreaterThan(0);
  expect(await readFile(join(folder, "a/compare.html"), "utf8")).toContain("<svg ");

  const place = join(folder, "a/runs/NP/seed-3/metrics.jsonl");
  const { mtimeMs } = await stat(place);
  const again = await compare(...args);
  expect(again.out).toContain("6 of 6 runs");
  expect((await stat(place)).mtimeMs).toBe(mtimeMs);

  const other = await compare(...args, "--set", "optimizer.lr=0.1");
  expect(other.code).toBe(2);
  expect(other.error).toContain("is of a comparison with another optimizer.lr");
});

test.each([
  [["--routers", "linear,lineer"], 'got "lineer": did you mean "linear"?'],
  [["--routers", "xmoe:cell=gru"], "router.cell: the xmoe router has no such option"],
  [["--seeds", "1,x"], '--seeds: needs whole numbers between commas, got "1,x"'],
  [["--seeds", "1,1"], "--seeds: needs different numbers"],
  [["--match", "width"], "--match: needs one of none, total, active, router"],
  [["--baseline", "xmoe"], "--baseline: needs one of linear, recurrent"],
])("mistake %j", async (args, message) => {
  const result = await compare(...args, "--out", "never");
  expect(result.error).toContain(message);
  expect(result.code).toBe(2);
  await expect(access(join(folder, "never"))).rejects.toThrow();
});
