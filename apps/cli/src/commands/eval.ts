import { bytesPerTarget, encodeExamples, splitTokens, validationBatches } from "@webmoe/data";
import { readExamples } from "@webmoe/data/node";
import {
  type ClassificationFigures,
  classificationTask,
  type LanguageFigures,
  languageTask,
  openSession,
  restore,
  restoreAveraged,
  type Task,
  validate,
} from "@webmoe/trainer";
import { openGpu } from "@webmoe/webgpu/node";
import { openSavedRun, type SavedRun } from "../run-model";
import { openText, runTokenizer, tokenizeText } from "../run-text";
import { classificationLine, examplesOf } from "../tasks/classification";
import { languageLine } from "../tasks/language";
import { confusionTable } from "../terminal/confusion-table";
import { loadChart } from "../terminal/load-chart";

export interface EvalFlags {
  from: string;
  data?: string;
  batches?: number;
  adapter?: string;
  averaged: boolean;
  json: boolean;
}

/** A task to validate on, and its figures in words. */
interface Held<F extends object> {
  task: Task<F>;
  text(figures: { loss: number } & F): string;
}

/** Validate the last checkpoint of a run on its own held-out part, or on all of other data. */
export async function evalCommand({ from, data, batches, adapter, averaged, json }: EvalFlags): Promise<void> {
  const run = await openSavedRun(from);
  const classifies = run.config.task === "classify";
  if (classifies) await evaluate(run, await heldExamples(run, data), { adapter, averaged, json });
  else await evaluate(run, await heldText(run, data, batches), { adapter, averaged, json });
}

async function evaluate<F extends object>(
  { config, model, checkpoint }: SavedRun,
  { task, text }: Held<F>,
  { adapter, averaged, json }: Pick<EvalFlags, "adapter" | "averaged" | "json">,
): Promise<void> {
  const gpu = await openGpu({ adapter: adapter ?? config.adapter });
  try {
    const session = await openSession(gpu, model, config);
    await restore(session, model, checkpoint);
    if (averaged) await restoreAveraged(model, session.state.parameters, checkpoint);
    const figures = await validate(session, task);
    if (json) console.log(JSON.stringify({ step: checkpoint.step, ...figures }));
    else console.log(`step ${checkpoint.step}: ${text(figures)}\n\n${loadChart(figures.load)}`);
    session.close();
  } finally {
    gpu.close();
  }
}

async function heldText({ folder, config }: SavedRun, data?: string, batches?: number): Promise<Held<LanguageFigures>> {
  const tokenizer = await runTokenizer(folder.path, config);
  const { tokens, bytesPerToken: average } = await tokenizeText(config, await openText(config, data), tokenizer);
  const validation = data ? tokens : splitTokens(tokens).validation;
  const sizes = {
    batch: config.batch.size,
    context: config.model.context,
    batches: batches ?? config.validation.batches,
  };
  const { byteLengths } = tokenizer;
  const bytesPerToken = byteLengths ? bytesPerTarget(validationBatches(validation, sizes), byteLengths) : average;
  return {
    task: languageTask({ train: validation, validation, bytesPerToken }, sizes),
    text: languageLine,
  };
}

async function heldExamples({ folder, config }: SavedRun, data?: string): Promise<Held<ClassificationFigures>> {
  const { classification, model, batch } = config;
  const labels = classification.labels!;
  const { context } = model;
  const examples = data ? await readExamples(data, classification) : (await examplesOf(config)).validation;
  const tokenizer = await runTokenizer(folder.path, config);
  const validation = encodeExamples(examples, { tokenizer, labels, context });
  return {
    task: classificationTask(
      { train: validation, validation, classes: labels.length },
      { batch: batch.size, context, accumulate: 1 },
    ),
    text: (figures) => `${classificationLine(figures)}\n\n${confusionTable(figures.confusion, labels)}`,
  };
}
