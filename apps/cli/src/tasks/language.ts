import type { Tokenizer } from "@webmoe/data";
import type { LanguageModel } from "@webmoe/model";
import { type LanguageFigures, openGenerator, type Session } from "@webmoe/trainer";
import color from "picocolors";
import type { Config } from "../config/schema";
import { bytesOfHeldOut, trainingData, vocabOf } from "../run-data";
import { makeModel } from "../run-model";
import { newTokenizer, openText, tokenizeText } from "../run-text";
import { bytes } from "../terminal/format";
import { printable } from "../terminal/printable";
import type { PreparedRun } from "./prepared-run";

/** A language model and its text. `saved`: the tokenizer of a run that goes on; `given`: the keys that were set by hand. */
export async function prepareLanguage(
  config: Config,
  saved: Tokenizer | undefined,
  given: Set<string> | undefined,
): Promise<PreparedRun<LanguageFigures>> {
  const corpus = await openText(config);
  const tokenizer = saved ?? (await newTokenizer(config, corpus));
  if (given) config.model.vocab = vocabOf(config, tokenizer, given);
  const model = await makeModel(config);
  const text = await tokenizeText(config, corpus, tokenizer);
  const parts = trainingData(text, config);
  return {
    model,
    tokenizer,
    data: { ...parts, bytesPerToken: bytesOfHeldOut(parts.validation, text, tokenizer, config) },
    padded: text.documents !== undefined,
    about: `${config.data}, ${bytes(corpus.size)}`,
    line: languageLine,
    sample: (session, like = model) => sample(session, like as LanguageModel, tokenizer, config),
    next: (path) => ["more text", `sample --from ${path} --prompt "The whale"`],
  };
}

/** How good a language model is, in a line. */
export function languageLine({ loss, bitsPerByte }: LanguageFigures & { loss: number }): string {
  return `${bitsPerByte.toFixed(3)} bits per byte (${loss.toFixed(4)} nats a token)`;
}

async function sample(session: Session, model: LanguageModel, tokenizer: Tokenizer, config: Config): Promise<string> {
  const { parameters, buffers } = session.state;
  const generator = await openGenerator(session.gpu, model, parameters, buffers);
  const prompt = "The ";
  const tokens: number[] = [];
  const options = {
    prompt: tokenizer.encode(prompt),
    tokens: config.sample.tokens,
    temperature: 0.8,
    seed: config.seed,
  };
  for await (const token of generator.generate(options)) tokens.push(token);
  generator.close();
  return `${color.bold("sample")}\n${color.dim(prompt)}${printable(tokenizer.decode(tokens))}`;
}
