import { resolve } from "node:path";
import { UsageError } from "../errors";
import { EXPORT_TYPES, exportFolder } from "../hugging-face/export-folder";
import { openSavedRun } from "../run-model";
import { runTokenizer } from "../run-text";

export interface ExportFlags {
  from: string;
  out: string;
  format: string;
  type: string;
}

/** Write the last checkpoint of a run for other programs. */
export async function exportCommand({ from, out, format, type }: ExportFlags): Promise<void> {
  if (format !== "hf") throw new UsageError(`--format: needs hf, got "${format}"`);
  if (!Object.hasOwn(EXPORT_TYPES, type)) {
    throw new UsageError(`--type: needs one of ${Object.keys(EXPORT_TYPES).join(", ")}, got "${type}"`);
  }
  const { config, model, checkpoint, folder } = await openSavedRun(from);
  const tokenizer = await runTokenizer(folder.path, config);
  await exportFolder(resolve(out), {
    config,
    model,
    parameters: checkpoint.model,
    tokenizer,
    type: type as keyof typeof EXPORT_TYPES,
  });
  console.log(`step ${checkpoint.step} of ${folder.path} is in ${out}\n`);
  console.log(`in Python: AutoModelForCausalLM.from_pretrained("${out}", trust_remote_code=True)`);
}
