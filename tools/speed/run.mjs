// Measures training speed on this machine, webmoe and PyTorch in turns, and writes it up:
//
//   node tools/speed/run.mjs --torch path/to/moe_step.py --data path/to/text --out docs/results
//
// `speed.json` is rewritten after every figure and `speed.md` after every part, so a run that is cut off leaves what it has.

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, renameSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { speedPage } from "./page.mjs";
import { speedParts } from "./parts.mjs";
import { start, takeTurns } from "./programs.mjs";
import { watchGpu } from "./watch-gpu.mjs";

const USAGE = `Usage: node tools/speed/run.mjs [options]

Times webmoe on this machine, and PyTorch and JavaScript libraries beside it where they are given, and writes speed.md and speed.json.

  --out <folder>       where they go (default: docs/results)
  --torch <file>       PyTorch's script of the same steps, moe_step.py; by default without PyTorch
  --python <command>   what runs it (default: python3)
  --data <file>        text for the curves in both precisions; by default without them
  --peers <folder>     scripts of other JavaScript libraries; by default without them
  --presets <list>     default: tiny,small,base
  --parts <list>       parts to run, by the start of their names; default: all
  --budget <seconds>   for everything (default: 1800)
  --scratch <folder>   where traces of steps and the runs that were trained stay (default: a temporary one)
  --webmoe <file>      the command line, where it is not this repository's own
  -h, --help           this text`;

/** @returns the options, or an exit code */
function given() {
  try {
    const text = /** @type {const} */ ({ type: "string" });
    const { values } = parseArgs({
      options: {
        out: { type: "string", default: "docs/results" },
        webmoe: text,
        torch: text,
        python: { type: "string", default: "python3" },
        data: text,
        peers: text,
        scratch: text,
        presets: { type: "string", default: "tiny,small,base" },
        budget: { type: "string", default: "1800" },
        parts: text,
        help: { type: "boolean", short: "h" },
      },
    });
    if (!values.help) return values;
    console.log(USAGE);
    return 0;
  } catch (error) {
    console.error(`speed: ${/** @type {Error} */ (error).message}\n\n${USAGE}`);
    return 2;
  }
}

const options = given();
if (typeof options === "number") process.exit(options);

const started = Date.now();
const left = () => Number(options.budget) - (Date.now() - started) / 1000;
const out = /** @type {string} */ (options.out);
const scratch = options.scratch ?? mkdtempSync(join(tmpdir(), "webmoe-speed-"));
mkdirSync(out, { recursive: true });
mkdirSync(scratch, { recursive: true });

const webmoe = options.webmoe
  ? [process.execPath, options.webmoe]
  : [process.execPath, join(import.meta.dirname, "../webmoe.mjs")];
const setup = {
  webmoe,
  scratch,
  presets: options.presets.split(","),
  torch: options.torch,
  python: options.python,
  data: options.data,
  peers: options.peers,
};

/** @type {import("./page.mjs").Speed} */
const speed = {
  date: new Date().toISOString().slice(0, 16).replace("T", " "),
  command: ["node tools/speed/run.mjs", ...process.argv.slice(2)].join(" "),
  machine: {
    gpu: output("nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"),
    cpu: `${cpus().length} x ${cpus()[0]?.model ?? "unknown"}`,
    node: process.version,
    webmoe:
      output(webmoe[0], ...webmoe.slice(1), "--version")
        .split("\n")
        .at(-1) ?? "",
  },
  parts: [],
  results: [],
};

const gpu = watchGpu();
for (const part of speedParts(setup)) {
  if (options.parts && !options.parts.split(",").some((start) => part.name.startsWith(start))) continue;
  const seconds = Math.min(part.seconds, left());
  if (seconds < 5) {
    speed.parts.push({ name: part.name, seconds: 0, outcome: "no time left" });
    continue;
  }
  const begin = Date.now();
  console.log(`${part.name} …`);
  const outcome = await runPart(part, seconds);
  const end = Date.now();
  const took = (end - begin) / 1000;
  speed.parts.push({ name: part.name, seconds: took, outcome, gpu: gpu?.between(begin, end) });
  console.log(`${part.name}: ${outcome}, ${took.toFixed(1)} s`);
  save();
}
gpu?.stop();
save();

/**
 * @param {import("./parts.mjs").Part} part
 * @param {number} seconds
 * @returns {Promise<string>} how it ended
 */
async function runPart({ name, programs, inTurns, after }, seconds) {
  const found = (/** @type {import("./programs.mjs").Result} */ result) => {
    speed.results.push({ part: name, ...result });
    saveJson();
  };
  const stop = AbortSignal.timeout(Math.floor(seconds * 1000));
  const outcome = inTurns ? await takeTurns(programs, found, stop) : await runOne(programs, found, stop);
  after?.().forEach(found);
  return stop.aborted ? `stopped after ${seconds.toFixed(0)} s` : outcome;
}

/** @param {import("./programs.mjs").Program[]} programs of which there is one @param {(result: import("./programs.mjs").Result) => void} found @param {AbortSignal} stop */
function runOne([program], found, stop) {
  const running = start(/** @type {import("./programs.mjs").Program} */ (program), found);
  stop.addEventListener("abort", running.kill);
  running.finish();
  return running.ended;
}

function save() {
  saveJson();
  writeFileSync(join(out, "speed.md"), speedPage(speed));
}

function saveJson() {
  const file = join(out, "speed.json");
  writeFileSync(`${file}.part`, `${JSON.stringify(speed)}\n`);
  renameSync(`${file}.part`, file);
}

/** What a program prints, or "" where there is no such program. @param {string} program @param {string[]} args */
function output(program, ...args) {
  return spawnSync(program, args, { encoding: "utf8" }).stdout?.trim() ?? "";
}
