import { expect, test } from "vitest";
import { kernel } from "../kernel";
import { testGpu } from "../testing";
import { firstDifference } from "./digest";
import { compileProgram } from "./program";
import { Recording } from "./recording";

const scaled = (name: string, factor: string) =>
  kernel({
    name,
    buffers: { x: "read", y: "write" },
    sizes: { items: "u32" },
    source: ({ items }) => ({ form: "items", items, wgsl: `fn run(i: u32) { y[i] = x[i] * ${factor}; }` }),
  });

/** The digest of three kernels, one after another, on [1, 2, ..., 70]. */
async function digest(factors: string[]) {
  const gpu = await testGpu();
  const recording = new Recording(gpu.target, gpu.limits);
  const memory = (kind: "inputs" | "temporary", label: string) => ({
    storage: recording.storage(kind, 280, label),
    offset: 0,
    bytes: 280,
  });
  const input = memory("inputs", "x");
  const last = factors.reduce((x, factor, index) => {
    const y = memory("temporary", `y${index}`);
    recording.dispatch(scaled(`scaled${index}`, factor), { x, y }, { items: 70 }, undefined);
    return y;
  }, input);
  const program = await compileProgram(gpu, recording, { label: "scaled", inputs: input.storage, outputs: [last] });
  const values = Float32Array.from({ length: 70 }, (_, i) => i + 1).buffer;
  const digests = await program.digest(values);
  const [block] = await (await program.run(values)).outputs;
  program.close();
  return { digests, result: new Float32Array(block!) };
}

test("two runs of one program have one digest, and it names every kernel", async () => {
  const one = await digest(["2.0", "3.0", "5.0"]);
  expect(one.digests.map(({ kernel, written }) => [kernel, written.length])).toEqual([
    ["scaled0", 1],
    ["scaled1", 1],
    ["scaled2", 1],
  ]);
  expect(one.result[69]).toBe(2100);
  expect(firstDifference(one.digests, (await digest(["2.0", "3.0", "5.0"])).digests)).toBeUndefined();
});

test("the first kernel that writes another bit is named, not those that follow from it", async () => {
  const one = await digest(["2.0", "3.0", "5.0"]);
  const other = await digest(["2.0", "3.0000002", "5.0"]);
  expect(firstDifference(one.digests, other.digests)).toMatch(/^dispatch 1: scaled1 \(items 70\) writes other bits/);
  expect(firstDifference(one.digests, one.digests.slice(0, 2))).toBe("dispatch 2: one run ends before scaled2");
});
