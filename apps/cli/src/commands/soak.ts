import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { batchAt, splitTokens } from "@webmoe/data";
import { train } from "@webmoe/trainer";
import { createRun } from "@webmoe/trainer/node";
import { adapterName, type Gpu } from "@webmoe/webgpu";
import { type ConfigFlags, resolveConfig } from "../config/resolve";
import { UsageError } from "../errors";
import { openDevice } from "../open-device";
import { makeModel } from "../run-model";
import { judgeSoak, type MemoryLook, percent } from "../soak/judge-soak";
import type { Pace } from "../soak/pace";
import { type Stretch, stepTimer } from "../soak/step-timer";
import { temporaryFolder } from "../temporary-folder";
import { shortNumber } from "../terminal/format";

/** Steps before memory has to be flat. */
const WARM_UP = 200;

/** Steps that are timed together. */
const STRETCH = 20;

/** Times that memory is looked at, which collects all garbage before. */
const LOOKS = 20;

/**
 * Train for long with a run folder, as `train` does, and see whether memory stays flat and speed the same. Experts get tokens in turn
 * (`moe.even`), unless the configuration says otherwise: as a router learns, its busiest expert gets more of them, and a step more work.
 */
export async function soakCommand({ json, ...flags }: ConfigFlags & { json: boolean }): Promise<void> {
  const resolved = resolveConfig({ ...flags, steps: flags.steps ?? 20_000 });
  const config = { ...resolved, moe: { even: true, ...resolved.moe } };
  const { steps } = config.train;
  if (steps < 2 * WARM_UP) throw new UsageError(`soak: needs at least ${2 * WARM_UP} --steps, got ${steps}`);
  const model = await makeModel(config);
  const { context, vocab } = config.model;
  const tokensPerStep = config.batch.size * config.batch.accumulate * context;
  const tokens = randomTokens(1 << 16, vocab);
  const data = { ...splitTokens(tokens), batchAt: (at: Parameters<typeof batchAt>[1]) => batchAt(tokens, at) };
  const folder = temporaryFolder(join(tmpdir(), "webmoe-soak-"));
  const store = await createRun(join(folder.path, "run"), { config });
  const looks: MemoryLook[] = [];
  const stretches: Stretch[] = [];
  let gpu: Gpu | undefined;
  const every = Math.floor(steps / LOOKS);
  const collect = garbageCollector();
  const timer = stepTimer();
  try {
    const settings = { ...config, checkpoint: { ...config.checkpoint, every } };
    for await (const report of train({
      open: () => openDevice(config),
      model,
      settings,
      data,
      store,
    })) {
      if (report.kind === "ready") gpu = report.session.gpu;
      if (report.kind !== "step") {
        timer.pause();
        continue;
      }
      timer.step();
      const stretch = report.step % STRETCH === 0 && timer.take();
      if (stretch && report.step > WARM_UP) stretches.push(stretch);
      if (report.step <= WARM_UP || report.step % every !== 0) continue;
      collect();
      timer.pause();
      const { rss: host, heapUsed: heap } = process.memoryUsage();
      looks.push({ step: report.step, host, device: gpu!.memoryUsed });
      if (json) continue;
      const speed = shortNumber(report.tokensPerSecond);
      console.log(
        `step ${report.step}/${steps}  host ${mebibytes(host)} MiB, heap ${mebibytes(heap)}  ${speed} tokens/s`,
      );
    }
  } finally {
    await store.close();
    folder.remove();
  }
  const verdict = judgeSoak(looks, stretches, tokensPerStep);
  const adapter = adapterName(gpu!.adapter);
  if (json) console.log(JSON.stringify({ adapter, preset: config.preset, steps, ...verdict }));
  else {
    const { first, last, change } = verdict.tokensPerSecond;
    console.log(`adapter   ${adapter}
host      ${verdict.hostBytesPerStep.toFixed(0)} bytes a step after the first ${WARM_UP}
device    ${verdict.deviceBytesPerStep.toFixed(0)} bytes a step
speed     ${paceText(first)} in the first quarter, ${paceText(last)} in the last: ${percent(change)} from beginning to end
          tokens/s of steps alone${config.moe.even ? ", experts in turn" : ""}: the fastest tenth of stretches of ${STRETCH} steps, which is compared (median, mean)`);
  }
  if (verdict.fault) throw new Error(`soak: ${verdict.fault}`);
}

/** Tokens that nothing can be learned of: the upper bits of a linear congruential generator. */
function randomTokens(count: number, vocab: number): Uint32Array {
  let state = 1;
  return Uint32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) % vocab;
  });
}

const paceText = ({ fast, median, mean }: Pace) =>
  `${shortNumber(fast)} (${shortNumber(median)}, ${shortNumber(mean)})`;

/**
 * Collects all garbage. V8 does that by itself when its heap has grown by tens of megabytes, at moments of its own choice; what
 * is to stay flat is what the process holds, and that is what is left then.
 */
function garbageCollector(): () => void {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc");
}

const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(1);
