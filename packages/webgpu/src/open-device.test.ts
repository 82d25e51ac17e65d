import { describe, expect, test } from "vitest";
import { DeviceLostError } from "./errors";
import { kernel } from "./kernel";
import { openGpu } from "./node";
import { compileProgram } from "./program/program";
import { Recording } from "./program/recording";

const adapter = process.env.WEBMOE_TEST_ADAPTER;

const broken = kernel({
  name: "brokenKernel",
  buffers: { y: "write" },
  sizes: { items: "u32" },
  source: ({ items }) => ({ form: "items", items, wgsl: "fn run(i: u32) { y[i] = missing; }" }),
});
const ones = kernel({
  name: "ones",
  buffers: { y: "write" },
  sizes: { items: "u32" },
  source: ({ items }) => ({ form: "items", items, wgsl: "fn run(i: u32) { y[i] = 1.0; }" }),
});

async function program(gpu: Awaited<ReturnType<typeof openGpu>>, which: typeof ones) {
  const recording = new Recording(gpu.target, gpu.limits);
  const storage = recording.storage("temporary", 64, "y");
  const slice = { storage, offset: 0, bytes: 64 };
  recording.dispatch(which, { y: slice }, { items: 16 }, undefined);
  return compileProgram(gpu, recording, { label: "test", outputs: [slice] });
}

describe("a device", () => {
  test("is opened with the adapter's own limits", async () => {
    const gpu = await openGpu({ adapter });
    expect(gpu.limits.maxStorageBuffersPerShaderStage).toBeGreaterThanOrEqual(8);
    expect(gpu.limits.maxBufferSize).toBeGreaterThan(256 * 2 ** 20); // WebGPU's default
    expect(gpu.features).toEqual([...gpu.features].sort());
    gpu.close();
    expect(() => gpu.check()).toThrow(/closed/);
  });

  test("that no adapter matches says what there is", async () => {
    await expect(openGpu({ adapter: "no such thing" })).rejects.toThrow(
      /no WebGPU adapter matches "no such thing", found \S/,
    );
  });

  test("a shader that does not compile is named", async () => {
    const gpu = await openGpu({ adapter });
    await expect(program(gpu, broken)).rejects.toThrow(/brokenKernel/);
    gpu.close();
  });

  test("an error outside any call is fatal for what comes after, and names its object", async () => {
    const gpu = await openGpu({ adapter });
    const good = await program(gpu, ones);
    gpu.device.createBuffer({ label: "impossible", size: 16, usage: 0 });
    await gpu.device.queue.onSubmittedWorkDone();
    await expect(good.run()).rejects.toThrow(/WebGPU reported an error.*impossible/s);
    gpu.close();
  });

  test("that is lost rejects with a typed error", async () => {
    const gpu = await openGpu({ adapter });
    const good = await program(gpu, ones);
    expect(new Float32Array((await (await good.run()).outputs)[0]!)).toEqual(new Float32Array(16).fill(1));
    gpu.device.destroy();
    const error = await gpu.lost;
    expect(error).toBeInstanceOf(DeviceLostError);
    expect(error.reason).toBe("destroyed");
    await expect(good.run()).rejects.toThrow(/device lost/);
  });
});
