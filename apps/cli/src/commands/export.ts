import { basename, resolve } from "node:path";
import { UsageError } from "../errors";
import { EXPORT_TYPES, type ExportType } from "../export-types";
import { exportFolder } from "../hugging-face/export-folder";
import { isRouterFile } from "../router-file";
import { openSavedRun } from "../run-model";
import { runTokenizer } from "../run-text";
import { writeWebFolder } from "../web-folder";

export interface ExportFlags {
  from: string;
  out: string;
  format: string;
  type: string;
}

/** Write the last checkpoint of a run for other programs. */
export async function exportCommand({ from, out, format, type }: ExportFlags): Promise<void> {
  if (format !== "hf" && format !== "web") throw new UsageError(`--format: needs hf or web, got "${format}"`);
  if (!isExportType(type)) {
    throw new UsageError(`--type: needs one of ${Object.keys(EXPORT_TYPES).join(", ")}, got "${type}"`);
  }
  const { config, model, checkpoint, folder } = await openSavedRun(from);
  const tokenizer = await runTokenizer(folder.path, config);
  const path = resolve(out);
  if (format === "hf") await exportFolder(path, { config, model, parameters: checkpoint.model, tokenizer, type });
  else await writeWebFolder(path, { config, tensors: checkpoint.model, tokenizer, type });
  console.log(`step ${checkpoint.step} of ${folder.path} is in ${out}\n`);
  console.log(
    format === "hf"
      ? `in Python: AutoModelForCausalLM.from_pretrained("${out}", trust_remote_code=True)`
      : `in a web page: import { openModel } from "@webmoe/browser"; openModel("address of ${out}"${routerOption(config.router.name)})`,
  );
}

/** A page has the routers that come with webmoe; any other it makes from its file, with the options of config.json. */
const routerOption = (name: string) => (isRouterFile(name) ? `, { router: what ${basename(name)} makes }` : "");

function isExportType(type: string): type is ExportType {
  return Object.hasOwn(EXPORT_TYPES, type);
}
