import { stringify } from "yaml";
import { type ConfigFlags, givenKeys, resolveConfig } from "../config/resolve";

/** Print the resolved configuration as a file for `--config`. */
export function configCommand({ json, ...flags }: ConfigFlags & { json: boolean }): void {
  const config = resolveConfig(flags);
  const { vocab, ...model } = config.model;
  // The size of the vocabulary is the tokenizer's, unless it was asked for.
  const shown = { ...config, model: givenKeys(flags).has("model.vocab") ? { vocab, ...model } : model };
  console.log(json ? JSON.stringify(shown, null, 2) : stringify(shown).trimEnd());
}
