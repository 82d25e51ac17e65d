import { writeFile } from "node:fs/promises";
import type { LanguageModel } from "@webmoe/model";
import { adapterName, type DispatchTime, type Gpu } from "@webmoe/webgpu";
import { openGpu } from "@webmoe/webgpu/node";
import { chromeTrace } from "../bench/chrome-trace";
import { costLine, type StretchOptions } from "../bench/compare-stretches";
import { stepFloor } from "../bench/floor";
import { kernelCases } from "../bench/kernel-cases";
import { measurePeaks, type Peaks } from "../bench/peaks";
import { peaksOf, profileRows, profileTable } from "../bench/profile-table";
import { roundRequests } from "../bench/requests";
import { type Variant, variants } from "../bench/scan";
import { type StepRow, stepTable, stepTableNote } from "../bench/step-table";
import { timeKernels } from "../bench/time-kernels";
import { timeMetrics } from "../bench/time-metrics";
import { timeReading } from "../bench/time-reading";
import { samplingLine, timeSampling } from "../bench/time-sampling";
import { timeTogether } from "../bench/time-together";
import { type ConfigFlags, resolveConfig } from "../config/resolve";
import type { Config } from "../config/schema";
import { UsageError } from "../errors";
import { openDevice } from "../open-device";
import { makeModel } from "../run-model";
import { shortNumber } from "../terminal/format";

/** What `bench` takes besides a configuration. */
export interface BenchFlags {
  json: boolean;
  /** Time every kernel of one step, and where to write it as a trace. */
  profile?: string | true;
  /** "key=value,value" */
  scan: string[];
  /** Time all of a scan in turns. */
  turns: boolean;
  /** Take turns with other programs as well: a round for each line of the standard input. */
  paced: boolean;
  /** Time kernels instead of steps: all, or those of cases with this in their name. */
  kernels?: string | true;
  /** Time the writing of so many tokens instead of steps. */
  sampling?: number;
  /** Time what it costs steps to say what their routers did. */
  metrics: boolean;
  /** Time what it costs steps to read the loss of each. */
  readLoss: boolean;
}

/** Time training steps, of one configuration or of a scan, or the kernels by themselves. */
export async function benchCommand(flags: ConfigFlags & BenchFlags): Promise<void> {
  if (flags.kernels) await benchKernels(flags);
  else if (flags.sampling) {
    const measure = (gpu: Gpu, model: LanguageModel, config: Config) =>
      timeSampling(gpu, model, config, flags.sampling!);
    await benchEach(flags, "--sampling", measure, samplingLine);
  } else if (flags.metrics) {
    await benchEach(flags, "--metrics", inTurns(timeMetrics, flags), (cost) => costLine(cost, "what routers did"));
  } else if (flags.readLoss) {
    await benchEach(flags, "--read-loss", inTurns(timeReading, flags), (cost) => costLine(cost, "reading each loss"));
  } else await benchSteps(flags);
}

/** Two ways of training are compared on a warm device. */
function inTurns<R>(
  time: (gpu: Gpu, model: LanguageModel, config: Config, options: StretchOptions) => Promise<R>,
  { steps }: { steps?: number },
) {
  return (gpu: Gpu, model: LanguageModel, config: Config) =>
    time(gpu, model, config, { steps, ...(gpu.adapter.software ? { pairs: 5, warmUp: 0 } : { warmUp: 2000 }) });
}

async function benchSteps(flags: ConfigFlags & BenchFlags): Promise<void> {
  const { json, profile, scan, paced } = flags;
  const turns = flags.turns || paced;
  const wanted = await Promise.all(variants(flags, scan).map(prepare));
  const gpu = await openDevice(wanted[0]!.config);
  if (!json) console.log(adapterName(gpu.adapter));
  try {
    const rows: StepRow[] = [];
    let peaks: Peaks | undefined;
    for (const group of turns ? [wanted] : wanted.map((each) => [each])) {
      const results = await timeTogether(gpu, group, {
        steps: flags.steps,
        warmUp: gpu.adapter.software ? 0 : rows.length === 0 ? 2000 : 200,
        profile: Boolean(profile),
        ...(paced && { requests: roundRequests(process.stdin, (line) => console.log(line)) }),
      });
      // After the first steps: what it compiles would make them look faster to start than they are.
      peaks ??= await measurePeaks(gpu);
      for (const [index, { profile: times, ...result }] of results.entries()) {
        const { label } = group[index]!;
        const row: StepRow = { label, ...result, ...(peaks && { floor: stepFloor(result, peaks) }) };
        rows.push(row);
        const kernels = times && profileRows(times, peaksOf(peaks, result.precision));
        if (json)
          console.log(JSON.stringify({ ...row, ...(peaks && { peaks }), ...(kernels && { profile: kernels }) }));
        if (times) await writeTrace(times, typeof profile === "string" ? profile : "webmoe-trace.json", row);
        if (kernels && !json) console.log(`\n${label || "kernels of a step"}\n${profileTable(kernels)}`);
      }
    }
    if (!json) console.log(`${peaksLine(peaks)}\n${stepTable(rows, turns)}\n\n${stepTableNote()}`);
  } finally {
    gpu.close();
  }
}

/** Measure something else than `benchSteps` does, of one configuration or of a scan. */
async function benchEach<R extends object>(
  { json, scan, profile, turns, paced, ...flags }: ConfigFlags & BenchFlags,
  name: string,
  measure: (gpu: Gpu, model: LanguageModel, config: Config) => Promise<R>,
  line: (result: R) => string,
): Promise<void> {
  if (profile || turns || paced) {
    throw new UsageError(`${name}: takes no --profile, --turns or --paced, which are of steps`);
  }
  const wanted = await Promise.all(variants(flags, scan).map(prepare));
  const gpu = await openDevice(wanted[0]!.config);
  if (!json) console.log(adapterName(gpu.adapter));
  try {
    for (const { label, config, model } of wanted) {
      const result = await measure(gpu, model, config);
      console.log(json ? JSON.stringify({ label, ...result }) : `${label || config.preset}: ${line(result)}`);
    }
  } finally {
    gpu.close();
  }
}

async function prepare({ label, flags }: Variant) {
  const config = resolveConfig(flags);
  return { label, config, model: await makeModel(config) };
}

async function benchKernels(flags: BenchFlags & ConfigFlags): Promise<void> {
  const { json, kernels, scan, profile, turns, paced, adapter } = flags;
  if (scan.length > 0 || profile || turns || paced) {
    throw new UsageError("--kernels: takes no --scan and no --profile, --turns or --paced, which are of steps");
  }
  const wanted = kernels === true ? "" : (kernels ?? "");
  if (!kernelCases(true).some(({ name }) => name.includes(wanted))) {
    throw new UsageError(`--kernels: there is no case with "${wanted}" in its name`);
  }
  const gpu = await openGpu({ adapter });
  try {
    if (!json) console.log(adapterName(gpu.adapter));
    for await (const { precision, peaks, cases } of timeKernels(gpu, wanted)) {
      if (!json)
        console.log(`\n${precision}: ${shortNumber(peaks.flops)}FLOPS, ${shortNumber(peaks.bytes)}B/s at most`);
      for (const { name, kernels } of cases) {
        if (json) console.log(JSON.stringify({ adapter: adapterName(gpu.adapter), name, precision, kernels, peaks }));
        else console.log(`\n${name}, ${precision}\n${profileTable(kernels)}`);
      }
    }
  } finally {
    gpu.close();
  }
}

function peaksLine(peaks: Peaks | undefined): string {
  if (!peaks) return "no peaks: this adapter has no timestamps";
  const { flops, bytes } = peaks;
  return `peaks: ${shortNumber(flops.f32)}FLOPS f32, ${shortNumber(flops.mixed)}FLOPS mixed, ${shortNumber(bytes)}B/s`;
}

async function writeTrace(times: DispatchTime[], file: string, { label, preset, router }: StepRow): Promise<void> {
  const path = label ? file.replace(/(\.\w+)?$/, `-${label.replace(/[^\w.=-]+/g, "-")}$1`) : file;
  await writeFile(path, chromeTrace(times, label || `${preset}, ${router} router`));
  console.error(`trace: ${path} (open it in chrome://tracing or ui.perfetto.dev)`);
}
