import { expectClose } from "@webmoe/webgpu/testing";
import { expect, test } from "vitest";
import { checkGradient, random, valuesOf } from "../testing";
import { copyOf, stack } from "./copy";
import { mul } from "./elementwise";

test("copyOf", () => checkGradient((x) => mul(copyOf(x), x), [[5]]));

test("stack puts tensors in rows, and has no gradient", async () => {
  const [a, b] = [random([2, 3]), random([2, 3], 2)];
  expectClose(await valuesOf((a, b) => stack([a, b]), [a, b]), [...a.data, ...b.data]);
  await expect(checkGradient((x) => stack([x, x]), [[3]])).rejects.toThrow("gradients: stack has no gradient");
  await expect(valuesOf((a, b) => stack([a, b]), [random([2]), random([3])])).rejects.toThrow(
    "stack: needs tensors of one shape, got f32[2] and f32[3]",
  );
});
