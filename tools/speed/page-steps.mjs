// What the page says of training steps.

import { added, gib, mean, percent, ratioOf, table, thousands } from "./markdown.mjs";

/** @typedef {import("./page.mjs").Figure} Figure */

/** webmoe beside PyTorch: the same model, router and precision class. @param {Figure[]} steps @param {Figure[]} torch */
export function against(steps, torch) {
  const recurrentFirst = steps.toSorted((a, b) => Number(b.router === "recurrent") - Number(a.router === "recurrent"));
  const rows = recurrentFirst.flatMap((ours) => {
    const theirs = torch.find(({ part, router }) => part === ours.part && router === ours.router);
    if (!theirs) return [];
    return [
      [
        theirs.preset,
        theirs.router,
        `${ours.precision} / ${theirs.precision}`,
        theirs.mode === "graph" ? "whole step in a CUDA graph" : theirs.mode,
        ours.msPerStep.toFixed(2),
        theirs.msPerStep.toFixed(2),
        `${thousands(ours.tokensPerSecond)} / ${thousands(theirs.tokensPerSecond)}`,
        `**${ratioOf(theirs.rounds, ours.rounds).median.toFixed(2)}x**`,
        `${(mean(theirs.rounds) / mean(ours.rounds)).toFixed(2)}x`,
        `${gib(ours.planBytes)} / ${gib(theirs.peakBytes)}`,
      ],
    ];
  });
  if (rows.length === 0) return [];
  return [
    "## Beside PyTorch",
    "webmoe / PyTorch, the same training step: forward, backward, clipping, AdamW. Both have the GPU in turns, a tenth of a second and one step that does not count at a time; milliseconds are medians over these rounds, and the speed is the median of the rounds' ratios. The last but one column is of all the time that passed: it has the rounds in which a host paused, as JavaScript does when it collects garbage.",
    table(
      [
        "preset",
        "router",
        "precision",
        "PyTorch's variant",
        "ms",
        "its ms",
        "thousand tokens/s",
        "speed",
        "with pauses",
        "GiB",
      ],
      rows,
    ),
  ];
}

/** @param {Figure[]} results */
export function peers(results) {
  const peers = results.filter(({ source, step }) => (source === "jax-js" || source === "tfjs") && step > 0);
  const tiny = results.find((r) => r.source === "steps" && r.preset === "tiny" && r.precision === "mixed");
  const rows = [...new Set(peers.map(({ source }) => source))].map((name) => {
    const ms = peers.filter(({ source }) => source === name).map((peer) => peer.msPerStep);
    const best = Math.min(...ms);
    return [name, String(best), tiny ? `${(best / tiny.msPerStep).toFixed(0)}x` : ""];
  });
  if (rows.length === 0) return [];
  return [
    "## Beside JavaScript libraries",
    "A close relative of `tiny` (every expert computes every token, no GRU): the best of their last steps, by themselves.",
    table(["library", "its ms", "webmoe is faster by"], rows),
  ];
}

/** What the recurrent router adds to a step, here and in PyTorch. @param {Figure[]} steps @param {Figure[]} torch */
export function routerCost(steps, torch) {
  const cost = (/** @type {Figure[]} */ figures, /** @type {string} */ part) => {
    const [recurrent, linear] = ["recurrent", "linear"].map((router) =>
      figures.find((figure) => figure.part === part && figure.router === router),
    );
    return recurrent && linear ? added(ratioOf(recurrent.rounds, linear.rounds)) : "";
  };
  const rows = steps
    .filter(({ router }) => router === "linear")
    .map(({ part, preset, precision }) => [preset, precision, cost(steps, part), cost(torch, part)]);
  if (rows.length === 0) return [];
  const withTorch = rows.some(([, , , theirs]) => theirs);
  return [
    "## What the recurrent router adds",
    "To a step with a linear router, in the same rounds: the median, and what half of all rounds lie between.",
    withTorch
      ? table(["preset", "precision", "webmoe", "PyTorch, bf16 in a CUDA graph"], rows)
      : table(
          ["preset", "precision", "webmoe"],
          rows.map((row) => row.slice(0, 3)),
        ),
  ];
}

/** @param {Figure[]} steps */
export function allSteps(steps) {
  if (steps.length === 0) return [];
  return [
    "## Training steps",
    table(STEP_HEADS, steps.map(stepRow)),
    "Arithmetic and bandwidth: the share of the step that its FLOPs would take at the rate of a 4096 x 4096 x 4096 product, and AdamW's 28 bytes a parameter at the rate of a copy, both measured after the steps with this project's kernels.",
  ];
}

const STEP_HEADS =
  "preset, router, precision, ms, mean ms, tokens/s, arithmetic, bandwidth, dispatches, submits, pipelines, encode ms, GiB, first step s".split(
    ", ",
  );

/** @param {Figure} r */
function stepRow(r) {
  return [
    r.preset,
    r.router,
    r.precision,
    r.msPerStep.toFixed(2),
    mean(r.rounds).toFixed(2),
    `${thousands(r.tokensPerSecond)}k`,
    r.floor ? percent(r.floor.arithmeticMs / r.msPerStep) : "",
    r.floor ? percent(r.floor.bandwidthMs / r.msPerStep) : "",
    ...[r.dispatches, r.submits, r.pipelines].map(String),
    r.encodeMs.toFixed(2),
    gib(r.planBytes),
    (r.firstStepMs / 1000).toFixed(2),
  ];
}

/** Where the time of a step goes, for the recurrent router in mixed precision. @param {Figure[]} steps */
export function profiles(steps) {
  return steps
    .filter(({ profile, router }) => profile && router === "recurrent")
    .flatMap(({ preset, precision, profile }) => [
      `## Kernels of a step of \`${preset}\`, ${precision}`,
      table(
        ["us", "share", "count", "TFLOPS", "GB/s", "of floor", "kernel"],
        /** @type {Figure[]} */ (profile)
          .slice(0, 20)
          .map((k) => [
            k.microseconds.toFixed(0),
            percent(k.share),
            String(k.dispatches),
            k.teraflops?.toPrecision(3) ?? "",
            k.gigabytesPerSecond.toPrecision(3),
            k.ofFloor ? percent(k.ofFloor) : "",
            `${k.kernel}: ${k.sizes}`,
          ]),
      ),
    ]);
}
