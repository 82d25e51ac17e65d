// Every public export, and every member of a public type, says in a sentence what it is.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { expect, test } from "vitest";
import { root } from "./setup/places.mjs";

const doors = readdirSync(join(root, "packages")).flatMap((name) => {
  const folder = join(root, "packages", name);
  const { exports } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return Object.entries(exports).map(([path, source]) => ({
    door: `@webmoe/${name}${path.slice(1)}`,
    file: join(folder, String(source)),
  }));
});

const { options } = ts.parseJsonConfigFileContent(
  ts.readConfigFile(join(root, "tsconfig.base.json"), ts.sys.readFile).config,
  ts.sys,
  root,
);
const program = ts.createProgram(
  doors.map(({ file }) => file),
  { ...options, noLib: true, types: [] },
);
const checker = program.getTypeChecker();

/** A sentence: at least two words. @param {ts.Symbol} symbol */
const isDocumented = (symbol) => /\S\s+\S/.test(ts.displayPartsToString(symbol.getDocumentationComment(checker)));

/** What a door exports without a sentence, and the members that are too short a word to speak for themselves. @param {string} file */
function undocumented(file) {
  const source = program.getSourceFile(file);
  const module = source && checker.getSymbolAtLocation(source);
  if (!module) throw new Error(`documented: ${file} is no module`);
  return checker
    .getExportsOfModule(module)
    .map((symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol))
    .filter((symbol) => !isDocumented(symbol))
    .map((symbol) => {
      const [declaration] = symbol.declarations ?? [];
      const from = declaration?.getSourceFile().fileName.slice(root.length + 1);
      return `${from}: ${symbol.name}`;
    });
}

test.each(doors)("every export of $door says what it is", ({ file }) => {
  expect(undocumented(file)).toEqual([]);
});
