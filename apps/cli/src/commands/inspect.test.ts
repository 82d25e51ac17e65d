import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspectModel } from "@webmoe/inspect";
import { languageModel } from "@webmoe/model";
import { routerNamed, routerNames } from "@webmoe/routers";
import { key, materialize, release } from "@webmoe/tensor";
import { testGpu } from "@webmoe/webgpu/testing";
import { expect, test } from "vitest";
import { sets, webmoeIn } from "../run-webmoe";

const [sequences, context] = [2, 8];
const tokens = Uint32Array.from({ length: sequences * context }, (_, t) => (t * t * 7) % 20);
const batch = { tokens, targets: tokens };

test.each([...routerNames, "recurrent+xmoe"])("%s can be inspected", { timeout: 120_000 }, async (name) => {
  const { make, layers } = routerNamed(name)!;
  const moe = { experts: 4, topK: 2, hidden: 8, balanceLoss: 0.01, zLoss: 0 };
  const config = { vocab: 20, dim: 8, layers: 2, heads: 2, context, moe: layers?.(moe, {}) ?? moe };
  const model = languageModel(config, make({}));
  const initial = model.init(key(1));
  const gpu = await testGpu();
  const parameters = await materialize(gpu, initial.parameters);
  const buffers = await materialize(gpu, initial.buffers, "buffers");
  const options = { batches: [batch], sequences, textOf: String, permutations: 5 };
  const { inspection } = await inspectModel(gpu, { model, parameters, buffers }, options);
  release(parameters);
  if (buffers) release(buffers);
  const numbers = JSON.stringify(
    inspection.layers.map(({ entropy, outerBalance, load }) => [entropy, outerBalance, load]),
  );
  expect(numbers).not.toContain("null"); // what is no number, as JSON writes it
  const learns = JSON.stringify(initial.parameters.router) !== JSON.stringify({ shared: {}, layers: [{}, {}] });
  expect(inspection.gradient !== undefined).toBe(learns);
  expect(inspection.laterTokens > 0).toBe(name === "expert-choice");
});

test("inspect writes a page that needs nothing else, and the numbers that it shows", { timeout: 300_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), "webmoe-inspect-"));
  const webmoe = webmoeIn(folder);
  const small = sets(
    "model.dim=16",
    "model.context=16",
    "batch.size=2",
    "moe.hidden=8",
    "router.dim=8",
    "sample.tokens=0",
  );
  expect((await webmoe("train", ...small, "--steps", "3", "--out", "run")).code).toBe(0);
  const { code, out, error } = await webmoe("inspect", "--from", "run", "--tokens", "96");
  expect([code, error]).toEqual([0, ""]);
  expect(out).toContain(join("run", "report.html"));

  const report = JSON.parse(await readFile(join(folder, "run/report.json"), "utf8"));
  expect(report).toMatchObject({
    run: "run",
    step: 3,
    data: "moby-dick",
    router: "recurrent",
    tokens: 96,
    topK: 2,
    experts: 4,
  });
  expect(report.layers).toHaveLength(2);
  for (const { load, entropy } of report.layers) {
    expect(load.reduce((sum: number, count: number) => sum + count, 0)).toBe(2 * 96);
    expect(entropy.mean).toBeGreaterThan(0);
    expect(entropy.mean).toBeLessThanOrEqual(Math.log(4) + 1e-6);
  }
  const evaluated = JSON.parse((await webmoe("eval", "--from", "run", "--batches", "3", "--json")).out);
  expect(report.bitsPerByte).toBeCloseTo(evaluated.bitsPerByte, 4);

  const html = await readFile(join(folder, "run/report.html"), "utf8");
  expect(html).toContain("How recurrent routes");
  expect(html).toContain(`${report.bitsPerByte.toFixed(3)} bits per byte`);
  expect(html).not.toMatch(/(?:src|href)="?https?:/);

  const made = await webmoe("inspect", "--from", "run", "--tokens", "32", "--out", "a/new/folder");
  expect(made.error).not.toContain("webmoe:");
  expect(await readFile(join(folder, "a/new/folder/report.html"), "utf8")).toContain("How recurrent routes");
  const elsewhere = await webmoe("inspect", "--from", "run", "--tokens", "32", "--out", "run/config.json/folder");
  expect(elsewhere.error).toContain("--out: needs a folder that can be written to");
  expect(elsewhere.code).toBe(2);
});
