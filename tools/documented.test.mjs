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

/**
 * The members of a public type and of what is written out in it. Private ones, and the kinds of a union, which have a
 * sentence each, need none.
 * @param {ts.Symbol} symbol
 * @returns {{ path: string, symbol: ts.Symbol }[]}
 */
function membersOf(symbol) {
  /** @type {{ path: string, symbol: ts.Symbol }[]} */
  const found = [];
  /** @param {readonly ts.Node[]} members @param {string} path */
  const visit = (members, path) => {
    for (const member of members) {
      const { name, type } = /** @type {ts.PropertySignature} */ (member);
      if (!name || ts.isComputedPropertyName(name)) continue;
      const isPrivate = ts.getCombinedModifierFlags(/** @type {ts.Declaration} */ (member)) & ts.ModifierFlags.Private;
      const own = checker.getSymbolAtLocation(name);
      if (isPrivate || !own) continue;
      found.push({ path: `${path}.${own.name}`, symbol: own });
      if (type) visitType(type, `${path}.${own.name}`);
    }
  };
  /** @param {ts.TypeNode} type @param {string} path */
  const visitType = (type, path) => {
    if (ts.isTypeLiteralNode(type)) visit(type.members, path);
    else if (ts.isIntersectionTypeNode(type)) for (const part of type.types) visitType(part, path);
    else if (ts.isParenthesizedTypeNode(type)) visitType(type.type, path);
    else if (ts.isArrayTypeNode(type)) visitType(type.elementType, path);
  };
  for (const declaration of symbol.declarations ?? []) {
    if (ts.isTypeAliasDeclaration(declaration)) visitType(declaration.type, symbol.name);
    if (ts.isInterfaceDeclaration(declaration)) visit(declaration.members, symbol.name);
    // The name of an error says itself what it is.
    if (ts.isClassDeclaration(declaration)) {
      visit(
        declaration.members.filter((member) => member.name?.getText() !== "name"),
        symbol.name,
      );
    }
  }
  return found;
}

/** What a door exports without a sentence, members among it. @param {string} file */
function undocumented(file) {
  const source = program.getSourceFile(file);
  const module = source && checker.getSymbolAtLocation(source);
  if (!module) throw new Error(`documented: ${file} is no module`);
  return checker
    .getExportsOfModule(module)
    .map((symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol))
    .flatMap((symbol) => [{ path: symbol.name, symbol }, ...membersOf(symbol)])
    .filter(({ symbol }) => !isDocumented(symbol))
    .map(({ path, symbol }) => {
      const [declaration] = symbol.declarations ?? [];
      return `${declaration?.getSourceFile().fileName.slice(root.length + 1)}: ${path}`;
    });
}

test.each(doors)("every export of $door, and every member of its types, says what it is", ({ file }) => {
  expect(undocumented(file)).toEqual([]);
});
