import { describe, expect, test } from "vitest";
import { decodeKernels, tiledAttention, withKernels } from "./kernels-of-target";

describe("kernels that are loaded when a program needs them", () => {
  test("a recording that misses some begins again with them, whatever it made of the error", async () => {
    expect(tiledAttention).toThrow("record it with `withKernels`");
    let calls = 0;
    const record = () => {
      calls++;
      try {
        return [tiledAttention().forward, decodeKernels().draw.drawTokenShader];
      } catch (cause) {
        throw new Error("layer 3", { cause });
      }
    };
    expect(await withKernels(record)).toEqual([expect.any(Function), expect.stringContaining("fn run")]);
    expect(calls).toBe(3); // attention is missed first, then what draws tokens
    await withKernels(record);
    expect(calls).toBe(4);
  });

  test("other errors of a recording are its caller's", async () => {
    const fail = () => withKernels(() => JSON.parse("{"));
    await expect(fail()).rejects.toThrow(SyntaxError);
  });
});
