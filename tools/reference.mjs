// docs/configuration.md is made from the schemas. `npm run fix` writes it; with --check this only says whether it is up to date.

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { tsImport } from "tsx/esm/api";
import { root } from "./setup/places.mjs";

const page = join(root, "docs/configuration.md");
const { configReference } = await tsImport("../apps/cli/src/config/reference.ts", import.meta.url);
const text = configReference();
if (process.argv.includes("--check")) {
  const found = await readFile(page, "utf8").catch(() => "");
  if (found !== text) {
    console.error("docs/configuration.md is not what the schemas say: npm run fix");
    process.exitCode = 1;
  }
} else await writeFile(page, text);
