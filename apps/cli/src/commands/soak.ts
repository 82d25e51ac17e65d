import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { batchAt, splitTokens } from "@webmoe/data";
import { train } from "@webmoe/trainer";
import { createRun } from "@webmoe/trainer/node";
import { adapterName, type Gpu } from "@webmoe/webgpu";
import { type ConfigFlags, resolveConfig } from "../config/resolve";
import { openDevice } from "../open-device";
import { makeModel } from "../run-model";
import { shortNumber } from "../terminal/format";

/** Steps before memory has to be flat. */
const WARM_UP = 200;

/** Most growth of memory that passes, in bytes a step, and most difference in speed from beginning to end. */
const LIMITS = { bytesPerStep: 1024, speed: 0.05 };

interface Sample {
  step: number;
  /** Bytes that the process holds, and those that webmoe holds on the device. */
  host: number;
  device: number;
  seconds: number;
}

/** Train for long with a run folder, as `train` does, and see whether memory stays flat and speed the same. */
export async function soakCommand({ json, ...flags }: ConfigFlags & { json: boolean }): Promise<void> {
  const config = resolveConfig({ ...flags, steps: flags.steps ?? 20_000 });
  const { steps } = config.train;
  const model = await makeModel(config);
  const { context, vocab } = config.model;
  const tokens = Uint32Array.from({ length: 1 << 16 }, (_, i) => (Math.imul(i + 1, 2654435761) >>> 0) % vocab);
  const data = { ...splitTokens(tokens), batchAt: (at: Parameters<typeof batchAt>[1]) => batchAt(tokens, at) };
  const folder = await mkdtemp(join(tmpdir(), "webmoe-soak-"));
  const store = await createRun(join(folder, "run"), { config });
  const samples: Sample[] = [];
  let gpu: Gpu | undefined;
  const every = Math.max(1, Math.floor(steps / 100));
  const collect = garbageCollector();
  try {
    const settings = { ...config, checkpoint: { ...config.checkpoint, every: Math.max(1, Math.floor(steps / 20)) } };
    for await (const report of train({
      open: () => openDevice(config),
      model,
      settings,
      data,
      store,
    })) {
      if (report.kind === "ready") gpu = report.session.gpu;
      if (report.kind !== "step" || report.step % every !== 0) continue;
      collect();
      const { rss: host, heapUsed: heap } = process.memoryUsage();
      const sample = { host, device: gpu!.memoryUsed, seconds: report.elapsedSeconds };
      samples.push({ step: report.step, ...sample });
      if (!json && samples.length % 5 === 0) {
        console.log(
          `step ${report.step}/${steps}  host ${mebibytes(sample.host)} MiB, heap ${mebibytes(heap)}  ${shortNumber(report.tokensPerSecond)} tokens/s`,
        );
      }
    }
  } finally {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  }
  const warm = samples.filter(({ step }) => step > WARM_UP);
  const tokensPerStep = config.batch.size * config.batch.accumulate * context;
  const quarter = Math.floor(warm.length / 4);
  const result = {
    adapter: adapterName(gpu!.adapter),
    steps,
    hostBytesPerStep: slope(warm, "host"),
    deviceBytesPerStep: slope(warm, "device"),
    tokensPerSecond: [speed(warm.slice(0, quarter), tokensPerStep), speed(warm.slice(-quarter), tokensPerStep)],
  };
  const [before, after] = result.tokensPerSecond as [number, number];
  const flat = Math.max(result.hostBytesPerStep, result.deviceBytesPerStep) < LIMITS.bytesPerStep;
  const steady = Math.abs(after / before - 1) < LIMITS.speed;
  if (json) console.log(JSON.stringify({ ...result, flat, steady }));
  else {
    console.log(`adapter   ${result.adapter}
host      ${result.hostBytesPerStep.toFixed(0)} bytes a step after the first ${WARM_UP}
device    ${result.deviceBytesPerStep.toFixed(0)} bytes a step
speed     ${shortNumber(before)} tokens/s in the first quarter, ${shortNumber(after)} in the last`);
  }
  if (!flat || !steady) {
    const wrong = flat ? "the speed changed by more than 5 %" : "memory grew by more than 1 KiB a step";
    throw new Error(`soak: ${wrong}`);
  }
}

/**
 * Collects all garbage. V8 does that by itself when its heap has grown by tens of megabytes, at moments of its own choice; what
 * is to stay flat is what the process holds, and that is what is left then.
 */
function garbageCollector(): () => void {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc");
}

const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(1);

/** Slope of the line through the samples with the least squared error: sum (s - S)(m - M) / sum (s - S)^2. */
function slope(samples: Sample[], what: "host" | "device"): number {
  const mean = (of: (sample: Sample) => number) => samples.reduce((sum, one) => sum + of(one), 0) / samples.length;
  const [step, memory] = [mean((one) => one.step), mean((one) => one[what])];
  const above = samples.reduce((sum, one) => sum + (one.step - step) * (one[what] - memory), 0);
  const below = samples.reduce((sum, one) => sum + (one.step - step) ** 2, 0);
  return below > 0 ? above / below : 0;
}

function speed(samples: Sample[], tokensPerStep: number): number {
  const [first, last] = [samples[0], samples.at(-1)];
  if (!first || !last || first === last) throw new Error(`soak: needs more than ${WARM_UP} steps: give --steps`);
  return (tokensPerStep * (last.step - first.step)) / (last.seconds - first.seconds);
}
