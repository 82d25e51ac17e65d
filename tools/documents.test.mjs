// What documents say of the code is so: their links lead somewhere, and the errors that they explain are those it throws.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { root } from "./setup/places.mjs";

/** Files below a folder that git keeps. @param {string} folder @returns {string[]} */
function filesBelow(folder) {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (/^(node_modules|dist|api|\..*)$/.test(entry.name)) return [];
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}

const files = [...["docs", "packages", "apps"].flatMap(filesBelow), "README.md", "CONTRIBUTING.md"];
const read = (/** @type {string} */ file) => readFileSync(join(root, file), "utf8");

/** The anchors of a document's headings, as GitHub and the site make them. @param {string} markdown */
function anchorsOf(markdown) {
  const headings = markdown.match(/^#+ .*$/gm) ?? [];
  return headings.map((heading) =>
    heading
      .replace(/^#+ /, "")
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

/** The links of a document that lead nowhere in the repository. @param {string} file */
function brokenLinks(file) {
  const text = read(file).replace(/^```[\s\S]*?^```/gm, "");
  const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target ?? "");
  return links.filter((link) => {
    if (/^https?:/.test(link)) return false;
    const [path = "", anchor] = link.split("#");
    const target = path ? join(dirname(file), path) : file;
    if (!existsSync(join(root, target))) return !/^docs\/api\b/.test(target); // made by `npm run docs`
    return anchor !== undefined && !anchorsOf(read(target)).includes(anchor);
  });
}

test.each(files.filter((file) => file.endsWith(".md")))("every link of %s leads somewhere", (file) => {
  expect(brokenLinks(file)).toEqual([]);
});

describe("the errors that docs/faq.md explains", () => {
  const code = files
    .filter((file) => /\.ts$/.test(file) && !/\.test\.ts$/.test(file))
    .map((file) =>
      read(file)
        .replace(/[`"] \+\s+[`"]/g, "")
        .replace(/\$\{[^}]*\}/g, "…"),
    )
    .join("\n");
  const errors = [...read("docs/faq.md").matchAll(/^\*\*`(.*?)`\.?\*\*/gm)].map(([, error]) => error ?? "");

  test("are ten or more", () => expect(errors.length).toBeGreaterThanOrEqual(10));

  test.each(errors)("%s is one that the code throws", (error) => {
    const escaped = error.split("…").map((part) => part.trim().replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    expect(code).toMatch(new RegExp(escaped.join("[^\n]*?")));
  });
});
