import { mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { webmoeIn } from "../run-webmoe";

const folder = await mkdtemp(join(tmpdir(), "webmoe-plot-"));
const webmoe = webmoeIn(folder);

beforeAll(async () => {
  for (const [name, end] of [
    ["one", 1],
    ["<two>", 2],
  ] as const) {
    const lines = Array.from({ length: 40 }, (_, i) => ({
      step: i + 1,
      loss: end + 3 / (i + 1),
      lr: 0.1,
      router: { balance: [1] },
    }));
    const validation = [20, 40].map((step) => ({ step, split: "validation", loss: end, bitsPerByte: end }));
    await mkdir(join(folder, "runs", name), { recursive: true });
    await writeFile(join(folder, "runs", name, "config.json"), "{}");
    const text = [...lines, ...validation].map((record) => `${JSON.stringify(record)}\n`).join("");
    await writeFile(join(folder, "runs", name, "metrics.jsonl"), `${text}{"step": 41, "lo`);
  }
});

test("two runs are drawn over each other in a pipe, without colours", async () => {
  const { code, out, error } = await webmoe("plot", "one", "runs/<two>");
  expect(error).toBe("");
  expect(code).toBe(0);
  expect(out).not.toContain("\u001b");
  expect(out).toMatch(/^loss\n/);
  expect(out).toContain("\nvalidation.loss\n");
  expect(out).toContain("* one   o <two>");
  expect(Math.max(...out.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
});

test("a page needs nothing else, and escapes names", async () => {
  const { code, out } = await webmoe("plot", "one", "<two>", "--smooth", "0.9", "--html", "page.html");
  expect(code).toBe(0);
  expect(out).toContain("page.html");
  const page = await readFile(join(folder, "page.html"), "utf8");
  expect(page.replaceAll("http://www.w3.org/2000/svg", "")).not.toMatch(/https?:|src=|<link|@import/);
  expect(page).not.toContain("<two>");
  expect(page.match(/<svg/g)).toHaveLength(4); // loss, lr, and both of validation
  expect(page).toContain("prefers-color-scheme:dark");
  expect(page).toContain("running means");
});

test("a wrong name says what there is", async () => {
  const metric = await webmoe("plot", "one", "--metric", "los");
  expect(metric).toMatchObject({ code: 2 });
  expect(metric.error).toMatch(/no run has "los".*did you mean "loss"\?.*validation\.bitsPerByte/);
  expect(await webmoe("plot", "three")).toMatchObject({ code: 2 });
  expect(await webmoe("plot", "one", "--smooth", "1")).toMatchObject({ code: 2 });
});
