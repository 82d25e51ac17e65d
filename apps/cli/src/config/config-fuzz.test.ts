import { mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { UsageError } from "../errors";
import { settingKeys } from "./keys";
import { type ConfigFlags, checkedConfig, resolveConfig } from "./resolve";

const RUNS = { numRuns: 10_000, seed: 1 };
const folder = mkdtempSync(join(tmpdir(), "webmoe-fuzz-"));

/** A configuration, or an error of one line that says what is wrong. */
function resolves(flags: ConfigFlags): boolean {
  try {
    expect(() => checkedConfig(resolveConfig(flags))).not.toThrow();
    return true;
  } catch {
    expect(() => resolveConfig(flags)).toThrow(UsageError);
    return false;
  } finally {
    // No key reaches what all objects share.
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  }
}

const names = settingKeys().map(({ key }) => key);
const part = fc.oneof(fc.constantFrom("__proto__", "constructor", "prototype", "router", "x", "dim", ""), fc.string());
const key = fc.oneof(
  fc.constantFrom(...names),
  fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(".")),
  part.map((name) => `router.${name}.x`),
);
const value = fc.oneof(
  fc.json({ maxDepth: 2 }),
  fc.string(),
  fc.integer().map(String),
  fc.constantFrom("true", "null", "1e308", "-0", "../../etc/passwd", "{}", "[]"),
);

test("--set with any keys and values", () => {
  let good = 0;
  const setting = fc.oneof(
    fc.tuple(key, value).map((both) => both.join("=")),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(setting, { maxLength: 3 }), (set) => {
      if (resolves({ set })) good++;
    }),
    RUNS,
  );
  expect(good).toBeGreaterThan(500);
}, 240_000);

test("files of any kind", () => {
  let good = 0;
  const lines = fc.array(fc.tuple(key, value).map(([name, text]) => `${name.replaceAll(".", ": {")}: ${text}`));
  const groups = fc
    .tuple(fc.constantFrom(...names), value)
    .map(([name, text]) => `${name.replace(".", ":\n  ")}: ${text}\n`);
  const text = fc.oneof(
    groups,
    lines.map((all) => all.join("\n")),
    fc.json({ maxDepth: 4 }),
    fc.string(),
  );
  const path = join(folder, "run.yaml");
  fc.assert(
    fc.property(text, (content) => {
      writeFileSync(path, content);
      if (resolves({ set: [], config: path })) good++;
    }),
    RUNS,
  );
  expect(good).toBeGreaterThan(500);
  expect(readdirSync(folder)).toEqual(["run.yaml"]);
}, 240_000);
