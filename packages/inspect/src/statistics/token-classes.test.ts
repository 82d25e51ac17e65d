import { expect, test } from "vitest";
import { tokenClass } from "./token-classes";

test.each([
  ["a", "letters"],
  ["ing", "letters"],
  [" whale", "word"],
  [" don’t", "word"],
  ["Q", "capital"],
  [" Ahab", "capital"],
  ["7", "digits"],
  [" 1851", "digits"],
  [" ", "space"],
  ["\t ", "space"],
  ["\n", "line end"],
  ["\r\n", "line end"],
  [",", "punctuation"],
  [" —", "punctuation"],
  ["é", "letters"],
  ["\ufffd", "other"],
  ["x1", "other"],
  ["", "other"],
])("%j is %s", (text, kind) => {
  expect(tokenClass(text)).toBe(kind);
});
