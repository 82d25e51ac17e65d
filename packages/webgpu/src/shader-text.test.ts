import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

/** What shaders must not contain, with the reason. */
const hazards: [RegExp, string][] = [
  [/\bvar\s+\w+\s*(:[^=;{}]+)?;/, "a `var` in a loop keeps its old value unless it is initialised"],
  [/dispatchWorkgroupsIndirect/, "an indirect dispatch costs a validation dispatch of its own"],
  [/\batomic(?!Or\b|Load\b|Store\b)\w*\s*\(/, "atomics but setting bits make results depend on timing"],
  [/<storage\b[^;]*\batomic</, "atomics between workgroups make results depend on timing"],
  [/(?<![\w.\])])(\w+(?:\[\w+\])?) != \1(?![\w.[(])/, "compilers may fold x != x away: test the bits"],
];

const hazardsOf = (text: string) => hazards.filter(([pattern]) => pattern.test(text)).map(([, reason]) => reason);

const folder = fileURLToPath(new URL(".", import.meta.url));
const sources = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter(
  (name) => name.endsWith(".ts") && !name.endsWith(".test.ts"),
);

test.each(sources)("%s", (name) => {
  expect(hazardsOf(readFileSync(join(folder, name), "utf8"))).toEqual([]);
});

test.each([
  ["  var sum: f32;", 1],
  ["  var tile: array<vec4f, 4>;", 1],
  ["  var sum;", 1],
  ["pass.dispatchWorkgroupsIndirect(buffer, 0)", 1],
  ["var<storage, read_write> sums: array<atomic<u32>>;", 1],
  ["  atomicAdd(&sums[0], 1u);", 1],
  ["var<workgroup> marks: array<atomic<u32>, 32>;\n  atomicOr(&marks[0], 1u);", 0],
  ["  if (x != x) { return; }", 1],
  ["  if (y[i] != y[i]) { return; }", 1],
  ["  var sum = 0.0;\n  var tile = array<f32, 4>();\n  if (x != xs) { return; }", 0],
  ["var<workgroup> tile: array<f32, 256>;\nvar<private> start: u32;", 0],
])("%s", (text, count) => {
  expect(hazardsOf(text)).toHaveLength(count);
});
