import { expect, test } from "vitest";
import { presetConfiguration } from "./configuration";
import { withValue } from "./dotted";
import { fitWarning } from "./fit";
import { measure } from "./measure";

const nano = measure(presetConfiguration("nano"));
const GiB = 2 ** 30;

test("memory is that of the programs of a session", () => {
  // Planned by them: 13.0 MB for nano, 143 MB for tiny at a batch of 4.
  expect(nano.bytes / 13.0e6).toBeCloseTo(1, 0);
  const tiny = withValue(withValue(presetConfiguration("tiny"), "batch.size", 4), "router.dim", 32);
  expect(measure(tiny).bytes / 143e6).toBeCloseTo(1, 0);
});

test("a model that fits has no warning", () => {
  expect(fitWarning(nano, { binding: GiB, memory: 8 })).toBeUndefined();
});

test("an array that the GPU cannot bind is warned of first", () => {
  const warning = fitWarning({ ...nano, bytes: 100 * GiB, largestArray: 2 * GiB }, { binding: GiB, memory: 8 });
  expect(warning).toMatch(/^One layer's experts need an array of 2\.1\d GB, and this GPU binds at most 1\.0\d GB/);
});

test("half of main memory is the limit of a model, of 4 GB where the browser does not tell", () => {
  const large = { ...nano, bytes: 3 * GiB };
  expect(fitWarning(large, { binding: GiB, memory: 8 })).toBeUndefined();
  expect(fitWarning(large, { binding: GiB, memory: 4 })).toMatch(/^About 3\.2\d GB on the GPU/);
  expect(fitWarning(large, { binding: GiB })).toMatch(/take a smaller batch, context or model\.$/);
});
