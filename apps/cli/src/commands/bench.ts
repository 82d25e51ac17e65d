import { batchAt } from "@webmoe/data";
import { openSession } from "@webmoe/trainer";
import { adapterName } from "@webmoe/webgpu";
import { openGpu } from "@webmoe/webgpu/node";
import { type ConfigFlags, resolveConfig } from "../config/resolve";
import { countObjects } from "../count-objects";
import { makeModel } from "../run-model";
import { bytes, shortNumber } from "../terminal/format";
import { profileRows, profileTable } from "../terminal/profile-table";

/** What `bench` takes besides a configuration. */
export interface BenchFlags {
  json: boolean;
  /** Time every kernel of one step. */
  profile: boolean;
}

/** Time training steps on random tokens; the counts are those of one steady step. */
export async function benchCommand({ json, profile, ...flags }: ConfigFlags & BenchFlags): Promise<void> {
  const steps = flags.steps ?? 20;
  const config = resolveConfig({ ...flags, steps });
  const model = await makeModel(config);
  const { context, vocab } = config.model;
  const tokens = Uint32Array.from({ length: 1 << 16 }, (_, i) => (Math.imul(i + 1, 2654435761) % vocab) >>> 0).map(
    (t) => t % vocab,
  );
  const batches = (step: number) =>
    Array.from({ length: config.batch.accumulate }, (_, micro) =>
      batchAt(tokens, { seed: 1, step, micro, batch: config.batch.size, context }),
    );

  const gpu = await openGpu({ adapter: config.adapter });
  try {
    const opened = performance.now();
    const session = await openSession(gpu, model, config);
    await (await session.step(batches(1), config.optimizer.lr)).values;
    const firstStepMs = performance.now() - opened;
    await warmUp(
      async (step) => (await session.step(batches(step), config.optimizer.lr)).values,
      gpu.adapter.software ? 0 : 2000,
    );

    const counts = countObjects(gpu.device);
    const start = performance.now();
    let values: Promise<{ loss: number }> | undefined;
    for (let step = 1; step <= steps; step++) ({ values } = await session.step(batches(step + 1), config.optimizer.lr));
    const { loss } = await values!;
    const msPerStep = (performance.now() - start) / steps;
    const objects = counts.stop();
    const tokensPerStep = config.batch.size * config.batch.accumulate * context;
    const result = {
      preset: config.preset,
      router: model.router.name,
      adapter: adapterName(gpu.adapter),
      msPerStep,
      tokensPerSecond: (tokensPerStep * 1000) / msPerStep,
      dispatches: session.stats.dispatches,
      submits: objects.submits / steps,
      newBuffers: objects.buffers / steps,
      newBindGroups: objects.bindGroups / steps,
      newPipelines: objects.pipelines / steps,
      peakBytes: gpu.memoryUsed,
      firstStepMs,
      loss,
      ...(profile && { profile: profileRows(await session.profile(batches(1), config.optimizer.lr)) }),
    };
    if (json) console.log(JSON.stringify(result));
    else {
      const row = (name: string, value: string) => console.log(`${name.padEnd(14)} ${value}`);
      row("adapter", result.adapter);
      row("preset", `${result.preset}, ${result.router} router`);
      row("step", `${msPerStep.toFixed(2)} ms, ${shortNumber(result.tokensPerSecond)} tokens/s`);
      row("dispatches", `${result.dispatches} in ${result.submits} submit${result.submits === 1 ? "" : "s"}`);
      row(
        "new objects",
        `${result.newBuffers} buffers, ${result.newBindGroups} bind groups, ${result.newPipelines} pipelines a step`,
      );
      row("memory", bytes(result.peakBytes));
      row("first step", `${(firstStepMs / 1000).toFixed(2)} s with compilation`);
      if (result.profile) console.log(`\n${profileTable(result.profile)}`);
    }
    session.close();
  } finally {
    gpu.close();
  }
}

/** Run steps until a time has passed: an idle GPU takes seconds to reach its clock rate. */
async function warmUp(run: (step: number) => Promise<unknown>, milliseconds: number): Promise<void> {
  const start = performance.now();
  for (let step = 2; performance.now() - start < milliseconds; step++) await run(step);
}
