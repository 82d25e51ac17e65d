import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { dependenciesMatch, stampDependencies } from "./dependencies.mjs";

let folder = "";
const write = (/** @type {string} */ name, /** @type {string} */ text) => writeFileSync(join(folder, name), text);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "webmoe-dependencies-"));
  mkdirSync(join(folder, "node_modules/.pnpm"), { recursive: true });
  write("pnpm-lock.yaml", "lock 1");
});
afterEach(() => rmSync(folder, { recursive: true }));

test("nothing installed, or an install that did not end, does not match", () => {
  expect(dependenciesMatch(folder)).toBe(false);
  stampDependencies(folder);
  expect(dependenciesMatch(folder)).toBe(false);
});

test("the stamp matches until the lockfile changes", () => {
  write("node_modules/.modules.yaml", "");
  expect(dependenciesMatch(folder)).toBe(false);
  stampDependencies(folder);
  expect(dependenciesMatch(folder)).toBe(true);
  write("pnpm-lock.yaml", "lock 2");
  expect(dependenciesMatch(folder)).toBe(false);
});

test("an install by hand counts: pnpm leaves a copy of the lockfile", () => {
  write("node_modules/.modules.yaml", "");
  write("node_modules/.pnpm/lock.yaml", "lock 1");
  expect(dependenciesMatch(folder)).toBe(true);
  write("node_modules/.pnpm/lock.yaml", "lock 0");
  expect(dependenciesMatch(folder)).toBe(false);
});
