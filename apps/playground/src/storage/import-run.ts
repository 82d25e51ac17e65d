import { type RunFile, saveRun } from "./run-folders";
import { unzip } from "./zip";

/** Files of a run folder that a page has use for. */
const WANTED =
  /^(config\.json|metrics\.jsonl|tokenizer\.json|text\.txt|router\.ts|checkpoints\/step-\d{8}\/(model\.safetensors|optimizer\.safetensors|state\.json))$/;

/** Keep a run that the command line or another page made: a zip file, or the files of a folder. Resolves with its name. */
export async function importRun(given: File[]): Promise<string> {
  const zipped = given.length === 1 && /\.zip$/i.test(given[0]!.name);
  const files: RunFile[] = zipped
    ? await unzip(given[0]!)
    : given.map((file) => ({ path: file.webkitRelativePath || file.name, content: file }));
  const config = files.find(({ path }) => /(^|\/)config\.json$/.test(path));
  if (!config) throw new Error("import: needs a run folder or a zip file of one, and there is no config.json in this");
  const root = config.path.slice(0, -"config.json".length);
  const record = await config.content
    .text()
    .then(JSON.parse)
    .catch(() => undefined);
  if (typeof record?.config?.model !== "object") {
    throw new Error("import: needs the config.json of a run, and this one says nothing of a model");
  }
  if (record.config.task === "classify") {
    throw new Error("import: the page trains language models, and this run finds the class of a text");
  }
  if ((record.config.tokenizer?.name ?? "bytes") !== "bytes") {
    throw new Error(`import: the page trains models of bytes, and this run has ${record.config.tokenizer.name} tokens`);
  }
  const name = root.split("/").filter(Boolean).at(-1) ?? (zipped ? given[0]!.name.replace(/\.zip$/i, "") : "imported");
  const own = files
    .filter(({ path }) => path.startsWith(root))
    .map(({ path, content }) => ({ path: path.slice(root.length), content }))
    .filter(({ path }) => WANTED.test(path));
  await saveRun(name, own);
  return name;
}
