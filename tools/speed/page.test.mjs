import { expect, test } from "vitest";
import { speedPage } from "./page.mjs";
import { speedParts } from "./parts.mjs";

const step = {
  part: "steps of tiny, mixed",
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
const programs = (name) => {
  const part = speedParts(setup).find((each) => each.name === name);
  return /** @type {import("./parts.mjs").Part} */ (part).programs;
};
const empty = { date: "", command: "", machine: {}, parts: [], results: [] };

test("what PyTorch prints is read with its rounds and the router it was asked for", () => {
  const [, , linear] = programs("steps of tiny, mixed");
  expect(linear?.command.slice(-3)).toEqual(["tiny", "linear", "bf16"]);
  expect(linear?.read("rounds: [3.7, 3.8, 3.9]")).toBeUndefined();
  expect(linear?.read(torchLine)).toMatchObject({
    router: "linear",
    preset: "tiny",
    mode: "graph",
    msPerStep: 3.8,
    rounds: [3.7, 3.8, 3.9],
  });
});

test("the page compares equal models round by round, and says what the router costs either", () => {
  // The clock falls by half between the rounds; medians of one alone would say otherwise.
  const rounds = { ours: [4, 8, 8], linear: [3.2, 3.2, 6.4], theirs: [4.4, 8.8, 8.8], theirLinear: [4, 8, 8] };
  const torch = { part: "steps of tiny, mixed", source: "torch", preset: "tiny", precision: "bf16", mode: "graph" };
  const figures = { msPerStep: 3.8, tokensPerSecond: 1.077e6, peakBytes: 2 ** 30 };
  const page = speedPage({
    date: "2026-01-01 00:00",
    command: "node tools/speed/run.mjs",
    machine: { gpu: "a GPU", cpu: "2 x a CPU", node: "v20", webmoe: "1.0" },
    parts: [{ name: "steps of tiny, mixed", seconds: 3, outcome: "done" }],
    results: [
      { ...step, router: "recurrent", msPerStep: 4, rounds: rounds.ours },
      { ...step, router: "linear", msPerStep: 3.2, rounds: rounds.linear },
      { ...torch, ...figures, router: "recurrent", rounds: rounds.theirs },
      { ...torch, ...figures, router: "linear", rounds: rounds.theirLinear },
    ],
  });
  expect(page).toContain("| tiny | recurrent | mixed / bf16 | whole step in a CUDA graph | 4.00 | 3.80 |");
  expect(page).toContain("| **1.10x** | 1.10x |");
  expect(page).toContain("| tiny | mixed | 25.0 % (25.0 to 87.5) | 10.0 % (10.0 to 10.0) |");
  expect(page).toContain("| steps of tiny, mixed | 3.0 | done |");
});

test("figures of different parts are not compared", () => {
  const torch = { source: "torch", preset: "tiny", router: "recurrent", precision: "bf16", rounds: [3] };
  const page = speedPage({
    ...empty,
    results: [
      { ...step, router: "recurrent", msPerStep: 4, rounds: [4] },
      { ...torch, part: "another" },
    ],
  });
  expect(page).not.toContain("Beside PyTorch");
});

test("curves of both precisions are paired by their seed", () => {
  const curve = (/** @type {number} */ seed, /** @type {string} */ precision, /** @type {number} */ end) => ({
    part: "",
    source: "curve",
    seed,
    precision,
    losses: [5.5, ...Array(60).fill(end)],
    ...(precision === "mixed" && { lossScale: 65536, skipped: 0 }),
  });
  const page = speedPage({
    ...empty,
    results: [
      curve(1, "mixed", 1.81),
      curve(1, "f32", 1.8),
      curve(2, "f32", 1.84),
      curve(2, "mixed", 1.82),
      curve(3, "mixed", 1.9),
    ],
  });
  expect(page).toContain("| 1 | 5.500 / 5.500 | 1.810 | 1.800 | +0.010 | 65536, 0 skipped |");
  expect(page).toContain("| 2 | 5.500 / 5.500 | 1.820 | 1.840 | -0.020 |");
  expect(page).toContain("**-0.005**, standard deviation over seeds 0.021");
});

test("what reading the loss costs, and long sequences, are lines of the page", () => {
  const results = [
    { part: "", source: "reading the loss", preset: "small", cost: 0.0123, spread: [-0.001, 0.02] },
    { part: "", source: "short context", tokensPerStep: 8192, rounds: [10, 20] },
    {
      part: "",
      source: "long context",
      preset: "small",
      tokensPerSecond: 3e5,
      tokensPerStep: 8192,
      rounds: [20, 40],
    },
  ];
  const page = speedPage({ ...empty, results });
  expect(page).toContain("costs `small` 1.23 % (in turns; half of all pairs between -0.10 % and 2.00 %)");
  expect(page).toContain("300k tokens/s, 0.50 of those with its own, in turns.");
});

test("more experts are held against the first by their kernels without the optimizer", () => {
  const scan = (/** @type {string} */ label, /** @type {number[]} */ rounds) => ({
    part: "experts",
    source: "experts",
    label,
    msPerStep: 10,
    planBytes: 2 ** 30,
    profile: [
      { kernel: "matmul", rounds },
      { kernel: "adamw", rounds: rounds.map(() => 1e6) },
    ],
  });
  const page = speedPage({
    ...empty,
    results: [scan("experts=8", [1000, 2000, 2000]), scan("experts=16", [1200, 2400, 2500])],
  });
  expect(page).toContain("| experts=8 | 10.00 | 2.00 | 1.00x | 1.00 |");
  expect(page).toContain("| experts=16 | 10.00 | 2.40 | 1.20x | 1.00 |");
});

test("products of experts stand beside dense ones of the same work", () => {
  /** @param {string} name @param {[string, string, number[], number][]} kernels */
  const kernelsOf = (name, kernels) => ({
    part: "kernels",
    source: "kernels",
    name,
    precision: "mixed",
    kernels: kernels.map(([kernel, sizes, rounds, dispatches]) => ({
      kernel,
      sizes,
      microseconds: rounds[1],
      rounds,
      dispatches,
      gigabytesPerSecond: 1,
    })),
  });
  const sizes = "rows 80, out 6, in 4, experts 2";
  const results = [
    kernelsOf("dense first layer", [
      ["matmul", "batch 1, m 64, n 6, k 4", [5, 10, 20], 1],
      ["matmul", "batch 1, m 64, n 4, k 6", [10, 20, 40], 1],
      ["matmulSplit", "splits 2, m 6, n 4, k 64", [30, 30, 30], 1],
    ]),
    kernelsOf("even experts", [
      ["groupedMatmulGather", sizes, [6.25, 12.5, 25], 1],
      ["groupedMatmul", sizes, [12.5, 25, 50], 1],
      ["groupedWeightGradient", sizes, [40, 40, 30], 1],
      ["addSparesOfTwo", "width0 24, spares0 1", [10, 10, 20], 1],
    ]),
    kernelsOf("experts at random", [["groupedMatmulGather", sizes, [10, 20, 40], 1]]),
    kernelsOf("half of all rows at one expert", [
      ["groupedMatmul", sizes, [25, 50, 60], 1],
      ["groupedWeightGradient", sizes, [60, 60, 60], 1],
      ["addSparesOfTwo", "width0 24, spares0 1", [15, 15, 15], 1],
    ]),
  ];
  const page = speedPage({ ...empty, results });
  expect(page).toContain(`| groupedMatmulGather: ${sizes} | 10.0 | 12.5 | 0 / 0 | **80.0 %** | 50.0 % |  |`);
  expect(page).toContain(`| groupedMatmul: ${sizes} | 20.0 | 25.0 | 0 / 0 | **80.0 %** |  | 2.00x |`);
  expect(page).toContain(`| groupedWeightGradient: ${sizes} | 30.0 | 40.0 | 0 / 0 | **75.0 %** |  | 1.50x |`);
});

test("the page says where the clock was, and first of all when it moved", () => {
  const part = (/** @type {string} */ name, /** @type {number} */ median) => ({
    name,
    seconds: 3,
    outcome: "done",
    gpu: { sm: { least: 900, median }, memory: 2619, watts: 512.3, celsius: 61, slowed: { "power cap": 0.254 } },
  });
  const steady = speedPage({ ...empty, parts: [part("a", 1980), part("b", 1800)] });
  expect(steady).toContain("| b | 3.0 | done | 900 / 1800 | 2619 | 512 | 61 | power cap 25 % |");
  expect(steady).not.toContain("clock moved");
  const moving = speedPage({ ...empty, parts: [part("a", 1980), part("b", 1005)] });
  expect(moving).toContain(
    "clock moved during this run**: its median was 1005 MHz in one part and 1980 MHz in another",
  );
  const unknown = speedPage({ ...empty, parts: [{ name: "a", seconds: 3, outcome: "done" }] });
  expect(unknown).not.toMatch(/clock/i);
});

test("a run that was cut off before its first figure has a page", () => {
  expect(speedPage(empty)).toContain("# Speed");
});
