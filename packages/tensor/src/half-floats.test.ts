import { expect, test } from "vitest";
import { fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from "./half-floats";

const every = Uint16Array.from({ length: 65536 }, (_, index) => index);

test.each([
  ["f16", fromFloat16, toFloat16],
  ["bf16", fromBfloat16, toBfloat16],
] as const)("every %s number comes back as it was", (_, from, to) => {
  const numbers = from(every);
  const back = to(numbers);
  const again = from(back);
  const wrong = [...numbers.keys()].filter((index) =>
    Number.isNaN(numbers[index]) ? !Number.isNaN(again[index]) : back[index] !== index,
  );
  expect(wrong).toEqual([]);
});

test.each([
  ["f16", fromFloat16, toFloat16, 65504],
  ["bf16", fromBfloat16, toBfloat16, 3.3895313892515355e38],
] as const)("between two %s numbers the nearer is taken, at the middle the even one", (_, from, to, largest) => {
  const numbers = [...from(every.subarray(0, 0x7c00))].filter((value) => value <= largest);
  for (let index = 0; index + 1 < numbers.length; index += 7) {
    const [low, high] = [numbers[index]!, numbers[index + 1]!];
    const at = (share: number) => to(Float32Array.of(low + (high - low) * share))[0];
    expect([at(0.25), at(0.5), at(0.75)]).toEqual([index, index % 2 ? index + 1 : index, index + 1]);
  }
  expect(from(to(Float32Array.of(-largest)))[0]).toBe(-largest);
  expect(from(to(Float32Array.of(Number.NEGATIVE_INFINITY)))[0]).toBe(Number.NEGATIVE_INFINITY);
});
