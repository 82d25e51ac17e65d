import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { bitsPerByte, bytesPerTarget, splitTokens, type Tokenizer, validationBatches } from "@webmoe/data";
import { type Inspection, inspectModel, reportPage } from "@webmoe/inspect";
import { openGpu } from "@webmoe/webgpu/node";
import { SingleBar } from "cli-progress";
import color from "picocolors";
import { UsageError } from "../errors";
import { loadParameters, openSavedRun } from "../run-model";
import { openText, runTokenizer, tokenizeText } from "../run-text";
import { routingTable } from "../terminal/routing-table";

export interface InspectFlags {
  from: string;
  data?: string;
  tokens: number;
  out?: string;
  adapter?: string;
  json: boolean;
}

/** Tokens of the text in the report's reader. */
const READER_TOKENS = 512;

/** Measure how a run's model routes held-out text, or another; write report.json and report.html. */
export async function inspectCommand({ from, data, tokens: wanted, out, adapter, json }: InspectFlags): Promise<void> {
  if (wanted < 1) throw new UsageError(`--tokens: needs at least 1, got ${wanted}`);
  const run = await openSavedRun(from);
  const { config, model, checkpoint } = run;
  const { size } = config.batch;
  const { context } = config.model;
  const tokenizer = await runTokenizer(run.folder.path, config);
  const text = await tokenizeText(config, await openText(config, data), tokenizer);
  const tokens = data ? text.tokens : splitTokens(text.tokens).validation;
  const batches = validationBatches(tokens, { batch: size, context, batches: Math.ceil(wanted / (size * context)) });
  const { byteLengths } = tokenizer;
  const bytesPerToken = byteLengths ? bytesPerTarget(batches, byteLengths) : text.bytesPerToken;
  const gpu = await openGpu({ adapter: adapter ?? config.adapter });
  const bar = json ? undefined : new SingleBar({ format: "inspecting  {bar} {percentage} %", hideCursor: true });
  try {
    const { parameters, buffers } = await loadParameters(gpu, run);
    bar?.start(100, 0);
    const { inspection, first } = await inspectModel(
      gpu,
      { model, parameters, buffers },
      {
        batches: batches.map(({ tokens, targets }) => ({ tokens, targets })),
        sequences: size,
        textOf: (token) => tokenizer.decode([token]),
        onProgress: (done) => bar?.update(Math.floor(100 * done)),
      },
    );
    bar?.stop();
    const report = {
      run: run.folder.path,
      step: checkpoint.step,
      data: data ?? config.data,
      bitsPerByte: bitsPerByte(inspection.loss, 1, bytesPerToken),
      ...inspection,
    };
    const folder = out ?? run.folder.path;
    const paths = { json: join(folder, "report.json"), html: join(folder, "report.html") };
    const shown = Math.min(READER_TOKENS, first.tokens.length);
    const html = await reportPage({
      title: `How ${inspection.router} routes`,
      subtitle:
        `${config.model.layers} layers of width ${config.model.dim}, ${inspection.experts} experts, top ${inspection.topK}, at step ${report.step}; ` +
        `${inspection.tokens.toLocaleString("en-US")} ${data ? "" : "held-out "}tokens of ${report.data}, ${report.bitsPerByte.toFixed(3)} bits per byte`,
      figures: inspection,
      reader: { texts: textsOf(first.tokens.subarray(0, shown), tokenizer), sequence: context, layers: first.layers },
    });
    await write(paths.json, `${JSON.stringify(report, null, 1)}\n`);
    await write(paths.html, html);
    if (json) console.log(JSON.stringify(report));
    else print(inspection, report.step, report.bitsPerByte, paths);
  } finally {
    bar?.stop();
    gpu.close();
  }
}

/** The text that each token adds; a character of several tokens stands at the last of them. */
function textsOf(tokens: Uint32Array, tokenizer: Tokenizer): string[] {
  const decoder = tokenizer.decoder();
  return Array.from(tokens, (token) => decoder.push([token]) || "·");
}

async function write(path: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  } catch (error) {
    throw new UsageError(`--out: needs a folder that can be written to: ${(error as Error).message}`);
  }
}

function print(inspection: Inspection, step: number, bits: number, paths: { json: string; html: string }): void {
  console.log(
    `\n${color.bold("router")}   ${inspection.router} at step ${step}, ${inspection.tokens.toLocaleString("en-US")} tokens, ${bits.toFixed(3)} bits per byte\n\n${routingTable(inspection)}`,
  );
  for (const note of inspection.notes) console.log(`\n${color.yellow("note")}  ${note}`);
  console.log(`\nplots: ${color.cyan(paths.html)}\nnumbers: ${color.cyan(paths.json)}`);
}
