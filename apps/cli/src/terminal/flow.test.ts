import { stripVTControlCharacters } from "node:util";
import color from "picocolors";
import { expect, test } from "vitest";
import { flow, titled } from "./flow";

test("items flow on under the first one where a line is full", () => {
  expect(flow("keys  ", ["a 1", "b 22", "c 3"], "  ", 15)).toBe("keys  a 1  b 22\n      c 3");
  expect(flow("keys  ", ["a 1", "b 22", "c 3"], "  ", 14)).toBe("keys  a 1\n      b 22\n      c 3");
  expect(flow("", ["some", "words"], " ", 9)).toBe("some\nwords");
});

test("colours take no room, and an item that is longer than a line stands alone", () => {
  const { bold } = color.createColors(true);
  expect(flow("k ", [bold("aa"), "b"], " ", 6)).toBe(`k ${bold("aa")} b`);
  expect(flow("k ", ["a", "longer than that", "b"], " ", 8)).toBe("k a\n  longer than that\n  b");
});

test("text behind a title goes on under its first word", () => {
  const text = stripVTControlCharacters(titled("time", "about 1h07m in all", 20));
  expect(text).toBe("time     about 1h07m\n         in all");
});
