// The page of a measurement: `node tools/speed/page.mjs speed.json > speed.md` writes it anew from its figures.

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

/**
 * @typedef {Record<string, any> & { part: string, source: string }} Figure
 * @typedef {{ date: string, command: string, machine: Record<string, string>, parts: { name: string, seconds: number, outcome: string }[], results: Figure[] }} Speed
 */

/** @param {Speed} speed @returns {string} */
export function speedPage({ date, command, machine, parts, results }) {
  const of = (/** @type {string} */ source) => results.filter((result) => result.source === source);
  const adapter = results.find((result) => result.adapter)?.adapter ?? "";
  const torch = of("torch versions")[0]?.versions;
  const sections = [
    "# Speed",
    `One run on one machine, ${date} UTC. Written by \`tools/speed\`, from figures in [speed.json](speed.json).`,
    list([
      ["GPU", [machine.gpu, adapter && `adapter ${adapter}`].filter(Boolean).join("; ")],
      ["CPU", machine.cpu],
      ["versions", [`Node ${machine.node}`, `webmoe ${machine.webmoe}`, torch].filter(Boolean).join(", ")],
      ["command", `\`${command}\``],
    ]),
    ...against(results),
    ...allSteps(of("steps")),
    ...curves(of("curve")),
    ...experts(of("experts")),
    ...other(results),
    ...expertProducts(of("kernels")),
    ...kernels(of("kernels")),
    ...profiles(of("steps")),
    "## Parts of this run",
    table(
      ["part", "seconds", "outcome"],
      parts.map(({ name, seconds, outcome }) => [name, seconds.toFixed(1), outcome]),
    ),
  ];
  return `${sections.filter(Boolean).join("\n\n")}\n`;
}

/** webmoe beside PyTorch: the same model, router and precision class. @param {Figure[]} results */
function against(results) {
  const rows = results
    .filter(({ source, mode }) => source === "torch" && mode)
    .flatMap((torch) => {
      const precision = torch.precision === "bf16" ? "mixed" : "f32";
      const ours = results.find(
        (r) =>
          r.source === "steps" && r.preset === torch.preset && r.router === torch.router && r.precision === precision,
      );
      if (!ours) return [];
      return [
        [
          torch.preset,
          torch.router,
          `${precision} / ${torch.precision}`,
          torch.mode === "graph" ? "whole step in a CUDA graph" : torch.mode,
          ours.msPerStep.toFixed(2),
          torch.msPerStep.toFixed(2),
          `${thousands(ours.tokensPerSecond)} / ${thousands(torch.tokensPerSecond)}`,
          `**${(ours.tokensPerSecond / torch.tokensPerSecond).toFixed(2)}x**`,
          `${gib(ours.planBytes)} / ${gib(torch.peakBytes)}`,
        ],
      ];
    });
  const peers = results.filter(({ source, step }) => (source === "jax-js" || source === "tfjs") && step > 0);
  const tiny = results.find((r) => r.source === "steps" && r.preset === "tiny" && r.precision === "mixed");
  const peerRows = [...new Set(peers.map(({ source }) => source))].map((name) => {
    const ms = peers.filter(({ source }) => source === name).map((peer) => peer.msPerStep);
    const best = Math.min(...ms);
    return [name, String(best), tiny ? `${(best / tiny.msPerStep).toFixed(0)}x` : ""];
  });
  return [
    rows.length > 0 && "## Beside PyTorch",
    rows.length > 0 && "webmoe / PyTorch, the same training step: forward, backward, clipping, AdamW.",
    rows.length > 0 &&
      table(
        ["preset", "router", "precision", "PyTorch's variant", "ms", "its ms", "thousand tokens/s", "speed", "GiB"],
        rows,
      ),
    peerRows.length > 0 && "## Beside JavaScript libraries",
    peerRows.length > 0 &&
      "A close relative of `tiny` (every expert computes every token, no GRU): the best of their last steps.",
    peerRows.length > 0 && table(["library", "its ms", "webmoe is faster by"], peerRows),
  ];
}

/** @param {Figure[]} steps */
function allSteps(steps) {
  if (steps.length === 0) return [];
  const ratios = steps.flatMap((recurrent) => {
    const linear = steps.find(
      (r) => r.router === "linear" && r.preset === recurrent.preset && r.precision === recurrent.precision,
    );
    if (recurrent.router !== "recurrent" || !linear) return [];
    return [`\`${recurrent.preset}\` ${percent(recurrent.msPerStep / linear.msPerStep - 1)}`];
  });
  return [
    "## Training steps",
    table(STEP_HEADS, steps.map(stepRow)),
    ratios.length > 0 && `What the recurrent router adds to a step with a linear one: ${ratios.join(", ")}.`,
    "Arithmetic and bandwidth: the share of the step that its FLOPs would take at the rate of a 4096 x 4096 x 4096 product, and AdamW's 28 bytes a parameter at the rate of a copy, both measured in this run with this project's kernels.",
  ];
}

const STEP_HEADS =
  "preset, router, precision, ms, tokens/s, arithmetic, bandwidth, dispatches, submits, pipelines, encode ms, GiB, first step s".split(
    ", ",
  );

/** @param {Figure} r */
function stepRow(r) {
  return [
    r.preset,
    r.router,
    r.precision,
    r.msPerStep.toFixed(2),
    `${thousands(r.tokensPerSecond)}k`,
    r.floor ? percent(r.floor.arithmeticMs / r.msPerStep) : "",
    r.floor ? percent(r.floor.bandwidthMs / r.msPerStep) : "",
    ...[r.dispatches, r.submits, r.pipelines].map(String),
    r.encodeMs.toFixed(2),
    gib(r.planBytes),
    (r.firstStepMs / 1000).toFixed(2),
  ];
}

/** @param {Figure[]} curves */
function curves(curves) {
  if (curves.length === 0) return [];
  const end = (/** @type {number[]} */ losses) => losses.slice(-50).reduce((sum, loss) => sum + loss, 0) / 50;
  const rows = curves.map(({ precision, losses, lossScale, skipped }) => [
    precision,
    String(losses.length),
    losses[0]?.toFixed(3) ?? "",
    losses.at(-1)?.toFixed(3) ?? "",
    end(losses).toFixed(3),
    lossScale ? `${lossScale}, ${skipped} skipped` : "",
  ]);
  return [
    "## Training in both precisions",
    table(["precision", "steps", "first loss", "last loss", "mean of the last 50", "loss scale"], rows),
  ];
}

/** @param {Figure[]} scan */
function experts(scan) {
  const rows = scan.map((r) => {
    const kernels = /** @type {Figure[]} */ (r.profile ?? []);
    const rest = kernels.filter(({ kernel }) => !/^adamw|sumOfSquares|clip|unscale/.test(kernel));
    return [
      r.label,
      r.msPerStep.toFixed(2),
      (rest.reduce((sum, { microseconds }) => sum + microseconds, 0) / 1000).toFixed(2),
      gib(r.planBytes),
    ];
  });
  if (rows.length === 0) return [];
  return [
    "## More experts, the same work a token",
    table(["", "ms a step", "ms of kernels without the optimizer", "GiB"], rows),
  ];
}

/** @param {Figure[]} results */
function other(results) {
  const lines = [];
  for (const { preset, tokensPerSecond, submitsPerToken } of results.filter(({ source }) => source === "sampling")) {
    lines.push(
      `Writing text with \`${preset}\`: ${tokensPerSecond.toFixed(0)} tokens/s, ${submitsPerToken.toFixed(2)} submits a token.`,
    );
  }
  for (const { preset, cost, spread } of results.filter(({ source }) => source === "reading the loss")) {
    const [low, high] = spread.map((/** @type {number} */ share) => (100 * share).toFixed(2));
    lines.push(
      `Reading the loss of every step costs \`${preset}\` ${(100 * cost).toFixed(2)} % (half of all pairs between ${low} % and ${high} %).`,
    );
  }
  for (const long of results.filter(({ source }) => source === "long context")) {
    const short = results.find(
      (r) =>
        r.source === "steps" && r.preset === long.preset && r.router === long.router && r.precision === long.precision,
    );
    lines.push(
      `\`${long.preset}\` with sequences of 4096 tokens: ${thousands(long.tokensPerSecond)}k tokens/s${short ? `, ${(long.tokensPerSecond / short.tokensPerSecond).toFixed(2)} of those with its own` : ""}.`,
    );
  }
  return lines.length > 0 ? ["## Text, reading figures, and long sequences", lines.join("\n\n")] : [];
}

/** Products of experts beside one dense product of as many assignments: of even experts, and with half of all rows at one. @param {Figure[]} cases */
function expertProducts(cases) {
  const named = (/** @type {string} */ name) =>
    cases.filter((each) => each.precision === "mixed" && each.name.startsWith(name));
  const kernelsOf = (/** @type {string} */ name) =>
    named(name).flatMap(({ kernels }) => /** @type {Figure[]} */ (kernels));
  const each = (/** @type {Figure} */ k) => k.microseconds / k.dispatches;
  const dense = kernelsOf("dense").map(
    (k) => /** @type {Record<string, number> & { us: number }} */ ({ ...sizesOf(k), us: each(k) }),
  );
  const uneven = kernelsOf("half of all rows");
  const rows = kernelsOf("even experts")
    .filter(({ kernel }) => kernel.startsWith("grouped"))
    .flatMap((k) => {
      const { out, in: inner } = sizesOf(k);
      /** @typedef {(dense: Record<string, number>) => boolean} Fits */
      const forward = /** @type {Fits} */ ({ n, k }) => n === out && k === inner;
      const backward = /** @type {Fits} */ ({ n, k }) => n === inner && k === out;
      const gradient = /** @type {Fits} */ ({ m, n }) => m === out && n === inner;
      const alike = k.kernel.startsWith("groupedWeight")
        ? [gradient]
        : k.dispatches > 1
          ? [forward, backward]
          : [k.kernel.endsWith("Gather") ? forward : backward];
      const found = alike.flatMap((fits) => dense.find(fits) ?? []);
      if (found.length < alike.length) return [];
      const us = found.reduce((sum, d) => sum + d.us, 0) / found.length;
      const hot = uneven.find(({ kernel, sizes }) => kernel === k.kernel && sizes === k.sizes);
      return [
        [`${k.kernel}: ${k.sizes}`, us.toFixed(1), each(k).toFixed(1), `**${percent(us / each(k))}**`].concat(
          hot ? `${(each(hot) / each(k)).toFixed(2)}x` : "",
        ),
      ];
    });
  if (rows.length === 0) return [];
  return [
    "## Products of experts beside dense ones",
    table(["kernel", "dense us", "even experts us", "of the dense rate", "time with half of all rows at one"], rows),
  ];
}

/** "rows 8, out 4" as numbers by name. @param {Figure} kernel @returns {Record<string, number>} */
function sizesOf({ sizes }) {
  return Object.fromEntries(
    sizes.split(", ").map((/** @type {string} */ part) => [part.split(" ")[0], Number(part.split(" ")[1])]),
  );
}

/** @param {Figure[]} cases */
function kernels(cases) {
  const rows = cases.flatMap(({ name, precision, kernels }) =>
    /** @type {Figure[]} */ (kernels).map((k) => [
      name,
      precision,
      `${k.kernel}: ${k.sizes}`,
      k.microseconds.toFixed(1),
      String(k.dispatches),
      k.teraflops?.toPrecision(3) ?? "",
      k.gigabytesPerSecond.toPrecision(3),
      k.ofFloor ? percent(k.ofFloor) : "",
    ]),
  );
  if (rows.length === 0) return [];
  return [
    "## Kernels by themselves",
    table(["case", "precision", "kernel", "us", "count", "TFLOPS", "GB/s", "of the device's peak"], rows),
  ];
}

/** Where the time of a step goes, for the recurrent router in mixed precision. @param {Figure[]} steps */
function profiles(steps) {
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

/** @param {string[]} heads @param {string[][]} rows */
function table(heads, rows) {
  return [heads, heads.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** @param {(string | undefined)[][]} items */
function list(items) {
  return items.map(([name, value]) => `- ${name}: ${value || "unknown"}`).join("\n");
}

const percent = (/** @type {number} */ part) => `${(100 * part).toFixed(1)} %`;
const thousands = (/** @type {number} */ value) => (value / 1000).toPrecision(value < 1e6 ? 3 : 4);
const gib = (/** @type {number} */ bytes) => (bytes / 2 ** 30).toFixed(2);

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  process.stdout.write(speedPage(JSON.parse(readFileSync(/** @type {string} */ (process.argv[2]), "utf8"))));
}
