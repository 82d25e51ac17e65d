import { expect, test } from "vitest";
import { kernel } from "../kernel";
import { testGpu } from "../testing";
import { compileProgram } from "./program";
import { Recording } from "./recording";

const double = kernel({
  name: "double",
  buffers: { x: "read", y: "write" },
  sizes: { items: "u32" },
  source: ({ items }) => ({ form: "items", items, wgsl: "fn run(i: u32) { y[i] = 2.0 * x[i]; }" }),
});

test.each([1, 2, 3])(
  "with %i slots the host is at most so many runs ahead, and every run has its own values",
  async (slots) => {
    const gpu = await testGpu();
    const recording = new Recording(gpu.target, gpu.limits);
    const memory = (kind: "inputs" | "temporary") => ({
      storage: recording.storage(kind, 16, kind),
      offset: 0,
      bytes: 16,
    });
    const [x, y] = [memory("inputs"), memory("temporary")];
    recording.dispatch(double, { x, y }, { items: 4 }, undefined);
    const program = await compileProgram(gpu, recording, { label: "double", inputs: x.storage, outputs: [y], slots });

    const { queue } = gpu.device;
    const submit = queue.submit.bind(queue);
    let submitted = 0;
    const counted = (commands: GPUCommandBuffer[]) => {
      submitted++;
      submit(commands);
    };
    Object.defineProperty(queue, "submit", { value: counted, configurable: true });
    const runs = Array.from({ length: 7 }, async (_, run) => {
      const { outputs } = await program.run(Float32Array.of(run, 0, 0, 0).buffer);
      return new Float32Array((await outputs)[0]!)[0];
    });
    // What goes on without the device goes on in microtasks, and these come to an end.
    for (let i = 0; i < 100; i++) await undefined;
    expect(submitted).toBe(slots);
    expect(await Promise.all(runs)).toEqual([0, 2, 4, 6, 8, 10, 12]);
    expect(submitted).toBe(7);
    delete (queue as { submit?: unknown }).submit;
    program.close();
  },
);
