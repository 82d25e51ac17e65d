import { describe, expect, test } from "vitest";
import type { Gpu } from "../gpu";
import { kernel } from "../kernel";
import { openGpu } from "../node";
import { compileProgram } from "./program";
import { Recording } from "./recording";

const filling = (value: string) =>
  kernel({
    name: "filling",
    buffers: { y: "write" },
    sizes: { items: "u32" },
    source: ({ items }) => ({ form: "items", items, wgsl: `fn run(i: u32) { y[i] = ${value}; }` }),
  });

function early(gpu: Gpu, value: string) {
  const recording = new Recording(gpu.target, gpu.limits);
  const storage = recording.storage("temporary", 64, "y");
  const slice = { storage, offset: 0, bytes: 64 };
  recording.dispatch(filling(value), { y: slice }, { items: 16 }, undefined);
  return compileProgram(gpu, recording, { label: "test", outputs: [slice], early: true });
}

const open = () => openGpu({ adapter: process.env.WEBMOE_TEST_ADAPTER });

describe("a program that is handed over before its shaders are compiled", () => {
  test("runs when they are", async () => {
    const gpu = await open();
    const program = await early(gpu, "3.0");
    const tickets = await Promise.all([program.run(), program.run()]);
    for (const { outputs } of tickets) {
      expect(new Float32Array((await outputs)[0]!)).toEqual(new Float32Array(16).fill(3));
    }
    program.close();
    gpu.close();
  });

  test("says when it is run that one does not compile", async () => {
    const gpu = await open();
    const program = await early(gpu, "missing");
    await expect(program.run()).rejects.toThrow(/filling/);
    gpu.close();
  });

  test("may be closed at once, and the device too", async () => {
    const gpu = await open();
    const program = await early(gpu, "4.0");
    program.close();
    gpu.close();
    expect(gpu.memoryUsed).toBe(0);
    await expect(program.run()).rejects.toThrow(/closed/);
  });
});
