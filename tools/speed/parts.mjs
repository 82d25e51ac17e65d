// What is measured, the most important first. A part is a command and how to read the lines that it prints.

import { join } from "node:path";

/**
 * @typedef {Record<string, unknown> & { source: string }} Result
 * @typedef {{ name: string, seconds: number, command: string[], env?: Record<string, string>, read(line: string): Result | undefined }} Part
 * `seconds` is the most that a part may take.
 * @typedef {{ webmoe: string[], presets: string[], scratch: string, torch?: string, python: string, data?: string, peers?: string }} Setup
 */

/**
 * The parts that a setup allows.
 * @param {Setup} setup
 * @returns {Part[]}
 */
export function speedParts({ webmoe, presets, scratch, torch, python, data, peers }) {
  const scan = (/** @type {string} */ precision, /** @type {string} */ routers, /** @type {string[]} */ ...more) =>
    [...webmoe, "bench", "--json", "--set", `precision=${precision}`, "--scan", `router=${routers}`].concat(
      ["--scan", `preset=${presets.join(",")}`],
      more,
    );
  // The middle one stands for all where one is enough; a short list has itself.
  const middle = presets[Math.min(1, presets.length - 1)] ?? "nano";
  const one = (/** @type {string[]} */ ...more) =>
    [...webmoe, "bench", "--json", "--preset", middle, "--set", "precision=mixed"].concat(more);
  const trace = join(scratch, "trace.json");
  const curve = (/** @type {string} */ precision) => ({
    name: `curve ${precision}`,
    seconds: 60,
    command: [...webmoe, "train", "--preset", presets[0] ?? "nano", "--steps", "500", "--data", data ?? ""].concat(
      ["--set", `precision=${precision}`, "--set", "sample.tokens=0", "--set", "checkpoint.keep=1"],
      ["--out", join(scratch, `curve-${precision}`)],
    ),
    read: () => undefined,
  });
  return [
    {
      name: "steps, mixed",
      seconds: 100,
      command: scan("mixed", "recurrent,linear", "--profile", trace),
      read: json("steps"),
    },
    ...(torch
      ? [
          {
            name: "torch",
            seconds: 100,
            command: [python, join(import.meta.dirname, "torch_steps.py"), torch, ...presets],
            read: torchLines(),
          },
        ]
      : []),
    { name: "steps, f32", seconds: 60, command: scan("f32", "recurrent"), read: json("steps") },
    ...(data ? [curve("mixed"), curve("f32")] : []),
    { name: "reading the loss", seconds: 30, command: one("--read-loss"), read: json("reading the loss") },
    { name: "sampling", seconds: 30, command: one("--sampling", "512"), read: json("sampling") },
    {
      name: "experts",
      seconds: 60,
      command: one("--scan", "experts=8,16,32,64,128", "--set", "moe.even=true", "--steps", "10", "--profile", trace),
      read: json("experts"),
    },
    {
      name: "long context",
      seconds: 30,
      command: one("--set", "model.context=4096", "--set", "batch.size=2"),
      read: json("long context"),
    },
    { name: "kernels", seconds: 60, command: [...webmoe, "bench", "--kernels", "--json"], read: json("kernels") },
    ...(peers ? peerParts(peers) : []),
  ];
}

/**
 * `tiny` in other libraries, a close relative: dense-masked experts, no GRU.
 * @param {string} folder
 * @returns {Part[]}
 */
function peerParts(folder) {
  const env = { DIMS: "16,256,128,4,4,256,8,2", FF: "256" };
  return [
    { name: "jax-js", file: "jax_gpt.mjs", steps: "12" },
    { name: "tfjs", file: "tf_gpt.mjs", steps: "5" },
  ].map(({ name, file, steps }) => ({
    name,
    seconds: 30,
    command: [process.execPath, join(folder, file), "webgpu", "moe", steps],
    env: /** @type {Record<string, string>} */ (env),
    read: (line) => {
      const found = /step (\d+) loss (\S+) (\d+)ms/.exec(line);
      if (!found) return undefined;
      return {
        source: name,
        preset: "tiny",
        step: Number(found[1]),
        loss: Number(found[2]),
        msPerStep: Number(found[3]),
      };
    },
  }));
}

/** @param {string} source @returns {Part["read"]} */
function json(source) {
  return (line) => (line.startsWith("{") ? { source, ...JSON.parse(line) } : undefined);
}

/** @returns {Part["read"]} */
function torchLines() {
  let router = "";
  return (line) => {
    router = /^router: (\w+)/.exec(line)?.[1] ?? router;
    const versions = /^versions: (.*)/.exec(line);
    if (versions) return { source: "torch versions", versions: versions[1] };
    const found =
      /^torch (\w+) (\w+) (\w+) (\w+): ([\d.]+) ms\/step, ([\d.]+) ktok\/s, loss (\S+), .* peak ([\d.]+) GiB/.exec(
        line,
      );
    if (!found) return line.includes("failed") ? { source: "torch failed", line } : undefined;
    const [, preset, precision, experts, mode, ms, ktokens, loss, peak] = found;
    return {
      source: "torch",
      router,
      preset,
      precision,
      experts,
      mode,
      msPerStep: Number(ms),
      tokensPerSecond: Number(ktokens) * 1000,
      loss: Number(loss),
      peakBytes: Number(peak) * 2 ** 30,
    };
  };
}
