// Pages of docs/ that are made from definitions in the code. `npm run fix` writes them; with --check this only says which are stale.

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { tsImport } from "tsx/esm/api";
import { root } from "./setup/places.mjs";

const source = (/** @type {string} */ file) => tsImport(`../apps/cli/src/${file}.ts`, import.meta.url);
const [{ configReference }, { commandReference }, { program }] = await Promise.all(
  ["reference/config-reference", "reference/command-reference", "program"].map(source),
);
const pages = [
  { file: "docs/configuration.md", text: configReference(), of: "the schemas" },
  { file: "docs/command-line.md", text: commandReference(program), of: "the commands and their flags" },
];

for (const { file, text, of } of pages) {
  const page = join(root, file);
  if (!process.argv.includes("--check")) await writeFile(page, text);
  else if ((await readFile(page, "utf8").catch(() => "")) !== text) {
    console.error(`${file} is not what ${of} say: npm run fix`);
    process.exitCode = 1;
  }
}
