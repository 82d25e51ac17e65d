import { expect, test } from "vitest";
import { printable } from "./printable";

test("line ends and tabs stay, what would move the cursor does not", () => {
  expect(printable("a\nb\tc \u001b[2J\u0007\r — é")).toBe("a\nb\tc \ufffd[2J\ufffd\ufffd — é");
});
