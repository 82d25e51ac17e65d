import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { unpackOnce } from "./unpack.mjs";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "webmoe-unpack-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

test("a folder is filled once and appears whole", () => {
  const target = join(folder, "deep/target");
  let fills = 0;
  const fill = (/** @type {string} */ place) => {
    fills++;
    expect(existsSync(target)).toBe(false);
    writeFileSync(join(place, "a"), "1");
  };
  unpackOnce(target, fill);
  unpackOnce(target, fill);
  expect(fills).toBe(1);
  expect(readFileSync(join(target, "a"), "utf8")).toBe("1");
});

test("a fill that fails leaves nothing behind", () => {
  const fail = () => {
    throw new Error("disk full");
  };
  expect(() => unpackOnce(join(folder, "target"), fail)).toThrow("disk full");
  expect(readdirSync(folder)).toEqual([]);
});
