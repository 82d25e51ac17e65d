import { bitsPerByte, bytesPerTarget, splitTokens, validationBatches } from "@webmoe/data";
import { openSession, restore } from "@webmoe/trainer";
import { openGpu } from "@webmoe/webgpu/node";
import { openSavedRun } from "../run-model";
import { openText, runTokenizer, tokenizeText } from "../run-text";
import { loadChart } from "../terminal/load-chart";

export interface EvalFlags {
  from: string;
  data?: string;
  batches?: number;
  adapter?: string;
  json: boolean;
}

/** Validate the last checkpoint of a run on its own held-out text, or on all of another. */
export async function evalCommand({ from, data, batches, adapter, json }: EvalFlags): Promise<void> {
  const run = await openSavedRun(from);
  const { config, model, checkpoint } = run;
  const tokenizer = await runTokenizer(run.folder.path, config);
  const text = await tokenizeText(config, await openText(config, data), tokenizer);
  const tokens = data ? text.tokens : splitTokens(text.tokens).validation;
  const held = validationBatches(tokens, {
    batch: config.batch.size,
    context: config.model.context,
    batches: batches ?? config.validation.batches,
  });
  const { byteLengths } = tokenizer;
  const bytesPerToken = byteLengths ? bytesPerTarget(held, byteLengths) : text.bytesPerToken;
  const gpu = await openGpu({ adapter: adapter ?? config.adapter });
  try {
    const session = await openSession(gpu, model, config);
    await restore(session, model, checkpoint);
    const results: Awaited<ReturnType<typeof session.evaluate>>[] = [];
    for (const batch of held) results.push(await session.evaluate(batch));
    const loss = results.reduce((sum, result) => sum + result.loss, 0) / results.length;
    const load = results[0]!.load.map((row, layer) =>
      row.map((_, e) => results.reduce((sum, r) => sum + r.load[layer]![e]!, 0)),
    );
    const bits = bitsPerByte(loss, 1, bytesPerToken);
    if (json) console.log(JSON.stringify({ step: checkpoint.step, loss, bitsPerByte: bits, load }));
    else {
      console.log(
        `step ${checkpoint.step}: ${bits.toFixed(3)} bits per byte (${loss.toFixed(4)} nats a token)\n\n${loadChart(load)}`,
      );
    }
    session.close();
  } finally {
    gpu.close();
  }
}
