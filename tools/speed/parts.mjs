// What is measured, the most important first. What is compared is measured in turns, by programs that ask each other for rounds or
// by one program: a GPU's clock moves while it works, on some machines by half within seconds.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * @typedef {import("./programs.mjs").Result} Result
 * @typedef {import("./programs.mjs").Program} Program
 * @typedef {{ name: string, seconds: number, programs: Program[], inTurns?: boolean, after?(): Result[] }} Part
 * `seconds` is the most that a part may take; `after` reads what its programs left in files.
 * @typedef {{ webmoe: string[], presets: string[], scratch: string, torch?: string, python: string, data?: string, peers?: string }} Setup
 */

const SEEDS = [1, 2, 3, 4, 5, 6];

/**
 * The parts that a setup allows.
 * @param {Setup} setup
 * @returns {Part[]}
 */
export function speedParts({ webmoe, presets, scratch, torch, python, data, peers }) {
  const trace = join(scratch, "trace.json");
  // The middle one stands for all where one is enough; a short list has itself.
  const middle = presets[Math.min(1, presets.length - 1)] ?? "nano";
  /** @param {string} source @param {string} preset @param {string} precision @param {string[]} more @returns {Program} */
  const bench = (source, preset, precision, ...more) => ({
    command: [...webmoe, "bench", "--json", "--preset", preset, "--set", `precision=${precision}`, ...more],
    read: json(source),
  });
  const one = (/** @type {string} */ source, /** @type {string[]} */ ...more) =>
    bench(source, middle, "mixed", ...more);
  /** @param {string} preset @param {string} router @param {string} precision @returns {Program[]} */
  const inTorch = (preset, router, precision) => {
    if (!torch) return [];
    const script = join(import.meta.dirname, "torch_steps.py");
    return [{ command: [python, script, torch, preset, router, precision], waits: true, read: torchLines(router) }];
  };
  return [
    ...presets.map((preset) => ({
      name: `steps of ${preset}, mixed`,
      seconds: 60,
      inTurns: true,
      programs: [
        bench("steps", preset, "mixed", "--paced", "--scan", "router=recurrent,linear", "--profile", trace),
        ...inTorch(preset, "recurrent", "bf16"),
        ...inTorch(preset, "linear", "bf16"),
      ],
    })),
    ...presets.map((preset) => ({
      name: `steps of ${preset}, f32`,
      seconds: 60,
      inTurns: true,
      programs: [bench("steps", preset, "f32", "--paced"), ...inTorch(preset, "recurrent", "fp32")],
    })),
    ...(data ? SEEDS.flatMap((seed) => [curve("mixed", seed), curve("f32", seed)]) : []),
    { name: "reading the loss", seconds: 30, programs: [one("reading the loss", "--read-loss")] },
    { name: "sampling", seconds: 30, programs: [one("sampling", "--sampling", "512")] },
    {
      name: "experts",
      seconds: 60,
      programs: [
        one("experts", "--turns", "--scan", "experts=8,16,32,64,128", "--set", "moe.even=true", "--profile", trace),
      ],
    },
    {
      name: "long context",
      seconds: 40,
      inTurns: true,
      programs: [
        one("short context", "--paced"),
        one("long context", "--paced", "--set", "model.context=4096", "--set", "batch.size=2"),
      ],
    },
    {
      name: "kernels",
      seconds: 60,
      programs: [{ command: [...webmoe, "bench", "--kernels", "--json"], read: json("kernels") }],
    },
    ...(peers ? peerParts(peers) : []),
  ];

  /** @param {string} precision @param {number} seed @returns {Part} */
  function curve(precision, seed) {
    const folder = join(scratch, `curve-${precision}-${seed}`);
    const command = [
      ...webmoe,
      "train",
      "--preset",
      presets[0] ?? "nano",
      "--steps",
      "500",
      "--seed",
      String(seed),
    ].concat(
      ["--data", data ?? "", "--set", `precision=${precision}`, "--set", "sample.tokens=0"],
      ["--set", "checkpoint.keep=1", "--out", folder],
    );
    return {
      name: `curve of seed ${seed}, ${precision}`,
      seconds: 60,
      programs: [{ command, read: () => undefined }],
      after: () => readCurve(join(folder, "metrics.jsonl")).map((found) => ({ ...found, precision, seed })),
    };
  }
}

/** @param {string} file metrics of a run @returns {Result[]} */
function readCurve(file) {
  if (!existsSync(file)) return [];
  const steps = readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line))
    .filter(({ split }) => !split);
  const { lossScale, skipped } = steps.at(-1) ?? {};
  return [{ source: "curve", losses: steps.map(({ loss }) => loss), lossScale, skipped }];
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
    programs: [{ command: [process.execPath, join(folder, file), "webgpu", "moe", steps], env, read: peerLine(name) }],
  }));
}

/** @param {string} name @returns {Program["read"]} */
function peerLine(name) {
  return (line) => {
    const found = /step (\d+) loss (\S+) (\d+)ms/.exec(line);
    if (!found) return undefined;
    const [step, loss, msPerStep] = found.slice(1).map(Number);
    return { source: name, preset: "tiny", step, loss, msPerStep };
  };
}

/** @param {string} source @returns {Program["read"]} */
function json(source) {
  return (line) => (line.startsWith("{") ? { source, ...JSON.parse(line) } : undefined);
}

/** What torch_steps.py prints: the rounds first. @param {string} router @returns {Program["read"]} */
function torchLines(router) {
  /** @type {number[]} */
  let rounds = [];
  return (line) => {
    const versions = /^versions: (.*)/.exec(line);
    if (versions) return { source: "torch versions", versions: versions[1] };
    if (line.startsWith("rounds: ")) rounds = JSON.parse(line.slice("rounds: ".length));
    const found =
      /^torch (\w+) (\w+) (\w+) (\w+): ([\d.]+) ms\/step, ([\d.]+) ktok\/s, loss (\S+), .* peak ([\d.]+) GiB/.exec(
        line,
      );
    if (!found) return undefined;
    const [, preset, precision, experts, mode, ms, ktokens, loss, peak] = found;
    return {
      source: "torch",
      router,
      preset,
      precision,
      experts,
      mode,
      rounds,
      msPerStep: Number(ms),
      tokensPerSecond: Number(ktokens) * 1000,
      loss: Number(loss),
      peakBytes: Number(peak) * 2 ** 30,
    };
  };
}
