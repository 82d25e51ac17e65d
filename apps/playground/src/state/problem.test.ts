import { outOfMemoryText } from "@webmoe/trainer";
import { OutOfMemoryError } from "@webmoe/webgpu";
import { expect, test } from "vitest";
import { problemOf } from "./problem";

test("a run that does not fit shows its memory and the settings that fit", () => {
  const fitting = [{ changes: { "batch.size": 2, "batch.accumulate": 4 }, about: "smaller pieces", bytes: 2 ** 20 }];
  const memory = { kinds: [{ kind: "activations" as const, bytes: 2 ** 22 }], total: 2 ** 22 };
  const reason = "needs 4 MiB on the device, where the limit is 2 MiB";
  const error = new OutOfMemoryError(outOfMemoryText({ reason, fitting, memory, limit: 2 ** 21 }));
  const { what, detail } = problemOf(error, undefined);
  expect(what).toBe("The GPU has no room for this");
  expect(detail).toMatch(/\n {2}activations +4 MiB\n.*\n {2}batch\.size=2 batch\.accumulate=4 +1 MiB/);
});
