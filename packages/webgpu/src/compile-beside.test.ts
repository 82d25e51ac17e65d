import { describe, expect, test } from "vitest";
import { compileBeside } from "./compile-beside";
import type { MakePipeline } from "./gpu";
import { openGpu } from "./node";

const open = async () => (await openGpu({ adapter: process.env.WEBMOE_TEST_ADAPTER })).device;

/** Makes of different shaders, slow as a driver that has kept none of them; `made` gets the device of each. */
function slowMakes(count: number, made: GPUDevice[]): MakePipeline[] {
  return Array.from({ length: count }, (_, i) => async (device) => {
    made.push(device);
    await new Promise((resolve) => setTimeout(resolve, 150));
    const code = `@group(0) @binding(0) var<storage, read_write> y: array<u32>;
@compute @workgroup_size(1) fn main() { y[0] = ${i}u; }`;
    const module = device.createShaderModule({ code });
    return device.createComputePipelineAsync({ layout: "auto", compute: { module } });
  });
}

/** What a pipeline writes when it runs on a device; an error where it is another device's. */
async function written(device: GPUDevice, pipeline: GPUComputePipeline): Promise<number> {
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC;
  const buffer = device.createBuffer({ size: 4, usage });
  const read = device.createBuffer({ size: 4, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  const layout = pipeline.getBindGroupLayout(0);
  pass.setBindGroup(0, device.createBindGroup({ layout, entries: [{ binding: 0, resource: { buffer } }] }));
  pass.dispatchWorkgroups(1);
  pass.end();
  encoder.copyBufferToBuffer(buffer, 0, read, 0, 4);
  device.queue.submit([encoder.finish()]);
  await read.mapAsync(GPUMapMode.READ);
  return new Uint32Array(read.getMappedRange())[0]!;
}

describe("shaders that a driver has to compile", () => {
  test("are compiled by helpers too, and the device gets them all", async () => {
    const [device, helper] = await Promise.all([open(), open()]);
    const made: GPUDevice[] = [];
    const makePipeline = compileBeside(device, async () => helper, 1);
    const pipelines = await Promise.all(slowMakes(12, made).map(makePipeline));
    const values = [];
    for (const pipeline of pipelines) values.push(await written(device, pipeline));
    expect(values).toEqual(pipelines.map((_, i) => i));
    expect(made.filter((on) => on === device)).toHaveLength(12);
    expect(made.filter((on) => on === helper).length).toBeGreaterThan(0);
    expect((await helper.lost).reason).toBe("destroyed");
  });

  test("are compiled once: the device waits for what a helper has begun, and loads it when it is done", async () => {
    const [device, helper] = await Promise.all([open(), open()]);
    const busy = new Set<number>();
    const helped = new Set<number>();
    const twice: number[] = [];
    const makes = slowMakes(16, []).map(
      (make, i): MakePipeline =>
        async (on) => {
          if (busy.has(i)) twice.push(i);
          if (on === device && helped.has(i)) return make(on);
          if (on === helper) helped.add(i);
          busy.add(i);
          return make(on).finally(() => busy.delete(i));
        },
    );
    await Promise.all(makes.map(compileBeside(device, async () => helper, 1)));
    expect(twice).toEqual([]);
    expect(helped.size).toBeGreaterThan(0);
    expect(helped.size).toBeLessThan(16);
  });

  test("come without help where a device cannot be opened", async () => {
    const device = await open();
    const made: GPUDevice[] = [];
    const makePipeline = compileBeside(device, () => Promise.reject(new Error("no room")), 2);
    const pipelines = await Promise.all(slowMakes(8, made).map(makePipeline));
    expect(await written(device, pipelines[7]!)).toBe(7);
    expect(made).toHaveLength(8);
  });

  test("come where helpers fail, and one that the device refuses fails alone", async () => {
    const [device, helper] = await Promise.all([open(), open()]);
    const makes = slowMakes(10, []).map(
      (make, i): MakePipeline =>
        async (on) => {
          const pipeline = await make(on);
          if (on === helper || i === 8) throw new Error(`number ${i} fails`);
          return pipeline;
        },
    );
    const results = await Promise.allSettled(makes.map(compileBeside(device, async () => helper, 1)));
    expect(results.map(({ status }) => status === "rejected")).toEqual(makes.map((_, i) => i === 8));
    expect(results[8]).toMatchObject({ reason: { message: "number 8 fails" } });
  });

  test("need no help where a driver has kept them, even while the thread is busy", async () => {
    const device = await open();
    let opened = 0;
    const makePipeline = compileBeside(device, () => Promise.reject(new Error(`helper ${++opened}`)), 3);
    const [make] = slowMakes(1, []) as [MakePipeline];
    const kept = await make(device);
    const pipelines = Array.from({ length: 40 }, () =>
      makePipeline(() => new Promise((resolve) => setImmediate(resolve, kept))),
    );
    const until = performance.now() + 200;
    while (performance.now() < until); // as a program is recorded meanwhile
    expect(await Promise.all(pipelines)).toHaveLength(40);
    expect(opened).toBe(0);
  });

  test("need no help where they are few", async () => {
    const device = await open();
    const opened: Promise<GPUDevice>[] = [];
    const helper = () => {
      opened.push(open());
      return opened.at(-1)!;
    };
    const makePipeline = compileBeside(device, helper, 3);
    await Promise.all(slowMakes(2, []).map(makePipeline));
    expect(opened).toHaveLength(0);
  });
});
