import { type Example, encodeExamples, labelsOf, splitExamples, type Tokenizer } from "@webmoe/data";
import { readExamples } from "@webmoe/data/node";
import { type ClassificationFigures, classificationTask } from "@webmoe/trainer";
import type { Config } from "../config/schema";
import { UsageError } from "../errors";
import { vocabOf } from "../run-data";
import { makeClassifier } from "../run-model";
import { newTokenizer } from "../run-text";
import { confusionTable } from "../terminal/confusion-table";
import type { PreparedRun } from "./prepared-run";

/** A classifier and its examples. The classes that training finds become part of the configuration. */
export async function prepareClassification(
  config: Config,
  saved: Tokenizer | undefined,
  given: Set<string> | undefined,
): Promise<PreparedRun<ClassificationFigures>> {
  const { train, validation } = await examplesOf(config);
  config.classification.labels ??= labelsOf(train);
  const { labels } = config.classification;
  if (labels.length < 2)
    throw new UsageError(`data: needs texts of two or more classes, got ${labels.join() || "none"}`);
  const tokenizer = saved ?? (await newTokenizer(config, textOf(train, config.data)));
  if (given) config.model.vocab = vocabOf(config, tokenizer, given);
  const { context } = config.model;
  const encoding = { tokenizer, labels, context };
  const data = {
    train: encodeExamples(train, encoding),
    validation: encodeExamples(validation, encoding),
    classes: labels.length,
  };
  return {
    model: await makeClassifier(config),
    tokenizer,
    data: classificationTask(data, { batch: config.batch.size, context, accumulate: config.batch.accumulate }),
    padded: true,
    about: `${config.data}, ${train.length} texts of ${labels.length} classes, ${validation.length} held out,`,
    line: classificationLine,
    table: ({ confusion }) => confusionTable(confusion, labels),
    next: (path) => ["other texts", `eval --from ${path} --data FILE.csv`],
  };
}

/** How good a classifier is, in a line. */
export function classificationLine({ loss, accuracy, macroF1 }: ClassificationFigures & { loss: number }): string {
  const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
  return `accuracy ${percent(accuracy)}, macro F1 ${percent(macroF1)} (${loss.toFixed(4)} nats a text)`;
}

/** The texts of a configuration: those to train on, and those held out, from a file of their own or a tenth. */
export async function examplesOf({
  data,
  classification,
}: Config): Promise<{ train: Example[]; validation: Example[] }> {
  const all = await readExamples(data, classification);
  if (!classification.validation) return splitExamples(all);
  return { train: all, validation: await readExamples(classification.validation, classification) };
}

/** Texts as a corpus, for tokenizers that are made from one. */
function textOf(examples: Example[], name: string): Parameters<typeof newTokenizer>[1] {
  const utf8 = new TextEncoder();
  return {
    name,
    sources: [],
    size: 0,
    separator: "",
    async *read() {
      for (const { text } of examples) yield { bytes: utf8.encode(text), end: true };
    },
  };
}
