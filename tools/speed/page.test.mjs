import { expect, test } from "vitest";
import { speedPage } from "./page.mjs";
import { speedParts } from "./parts.mjs";

const step = {
  part: "steps, mixed",
  source: "steps",
  preset: "tiny",
  precision: "mixed",
  adapter: "a GPU",
  tokensPerSecond: 1.2e6,
  floor: { arithmeticMs: 1, bandwidthMs: 0.5 },
  dispatches: 200,
  submits: 1,
  pipelines: 50,
  encodeMs: 0.5,
  planBytes: 2 ** 28,
  firstStepMs: 2500,
};
const setup = { webmoe: ["webmoe"], presets: ["tiny"], scratch: "/tmp", python: "python3", torch: "moe_step.py" };
const torchLine =
  "torch tiny bf16 grouped graph: 3.80 ms/step, 1077.0 ktok/s, loss 5.545, 3.6M params (1.3M active), peak 0.45 GiB";

/** @param {string} name */
const part = (name) => /** @type {import("./parts.mjs").Part} */ (speedParts(setup).find((each) => each.name === name));

test("what PyTorch prints is read with the router it was printed for", () => {
  const { read } = part("torch");
  expect(read("router: linear")).toBeUndefined();
  expect(read(torchLine)).toMatchObject({ router: "linear", preset: "tiny", mode: "graph", msPerStep: 3.8 });
  expect(read("torch tiny ('bf16', True, 'graph'): failed: no memory")).toMatchObject({ source: "torch failed" });
});

test("the page compares equal models and says what the router costs", () => {
  const page = speedPage({
    date: "2026-01-01 00:00",
    command: "node tools/speed/run.mjs",
    machine: { gpu: "a GPU", cpu: "2 x a CPU", node: "v20", webmoe: "1.0" },
    parts: [{ name: "torch", seconds: 3, outcome: "done" }],
    results: [
      { ...step, router: "recurrent", msPerStep: 4 },
      { ...step, router: "linear", msPerStep: 3.2 },
      { part: "torch", .../** @type {any} */ (part("torch").read(torchLine)), router: "recurrent" },
    ],
  });
  expect(page).toContain("| tiny | recurrent | mixed / bf16 | whole step in a CUDA graph | 4.00 | 3.80 |");
  expect(page).toContain("**1.11x**");
  expect(page).toContain("`tiny` 25.0 %");
  expect(page).toContain("| torch | 3.0 | done |");
});

test("what reading the loss costs is a line of the page", () => {
  const cost = { part: "", source: "reading the loss", preset: "small", cost: 0.0123, spread: [-0.001, 0.02] };
  const page = speedPage({ date: "", command: "", machine: {}, parts: [], results: [cost] });
  expect(page).toContain("costs `small` 1.23 % (half of all pairs between -0.10 % and 2.00 %)");
});

test("products of experts stand beside dense ones of the same work", () => {
  /** @param {string} name @param {[string, string, number, number][]} kernels */
  const kernelsOf = (name, kernels) => ({
    part: "kernels",
    source: "kernels",
    name,
    precision: "mixed",
    kernels: kernels.map(([kernel, sizes, microseconds, dispatches]) => ({
      kernel,
      sizes,
      microseconds,
      dispatches,
      gigabytesPerSecond: 1,
    })),
  });
  const sizes = "rows 80, out 6, in 4, experts 2";
  const results = [
    kernelsOf("dense first layer", [
      ["matmul", "batch 1, m 64, n 6, k 4", 10, 1],
      ["matmul", "batch 1, m 64, n 4, k 6", 20, 1],
      ["matmulSplit", "splits 2, m 6, n 4, k 64", 30, 1],
    ]),
    kernelsOf("even experts", [
      ["groupedMatmulGather", sizes, 12.5, 1],
      ["groupedMatmul", sizes, 25, 1],
      ["groupedWeightGradient", sizes, 40, 1],
    ]),
    kernelsOf("half of all rows at one expert", [["groupedMatmul", sizes, 50, 1]]),
  ];
  const page = speedPage({ date: "", command: "", machine: {}, parts: [], results });
  expect(page).toContain(`| groupedMatmulGather: ${sizes} | 10.0 | 12.5 | **80.0 %** |  |`);
  expect(page).toContain(`| groupedMatmul: ${sizes} | 20.0 | 25.0 | **80.0 %** | 2.00x |`);
  expect(page).toContain(`| groupedWeightGradient: ${sizes} | 30.0 | 40.0 | **75.0 %** |  |`);
});

test("a run that was cut off before its first figure has a page", () => {
  const page = speedPage({ date: "", command: "", machine: {}, parts: [], results: [] });
  expect(page).toContain("# Speed");
});
