import { expect, test } from "vitest";
import { kernel } from "../kernel";
import { copy, fill } from "../kernels/elementwise";
import { serialTarget, testGpu } from "../testing";
import { gatherOutputs } from "./gather-outputs";
import { compileProgram } from "./program";
import { Recording, type Slice, type Storage } from "./recording";

const limits = { maxStorageBufferBindingSize: 2 ** 30, maxBufferSize: 2 ** 30 };
const whole = (storage: Storage): Slice => ({ storage, offset: 0, bytes: storage.bytes });

const split = kernel({
  name: "split",
  buffers: { x: "read", once: "write", twice: "write" },
  sizes: { items: "u32" },
  source: ({ items }) => ({ form: "items", items, wgsl: "fn run(i: u32) { once[i] = x[i]; twice[i] = 2.0 * x[i]; }" }),
});

const addition = kernel({
  name: "addition",
  buffers: { a: "read", b: "read", sum: "write" },
  sizes: { items: "u32" },
  source: ({ items }) => ({ form: "items", items, wgsl: "fn run(i: u32) { sum[i] = a[i] + b[i]; }" }),
});

/** A recording, and ways to write temporaries of some numbers in it. */
function start(recording = new Recording(serialTarget, limits)) {
  const temporary = (items: number) => recording.storage("temporary", items * 4, `temporary of ${items}`);
  return {
    recording,
    temporary,
    filled(items: number, value = 0) {
      const y = temporary(items);
      recording.dispatch(fill, { y: whole(y) }, { items, value }, undefined);
      return y;
    },
    copied(x: Storage) {
      const y = temporary(x.bytes / 4);
      recording.dispatch(copy, { x: whole(x), y: whole(y) }, { items: y.bytes / 4 }, undefined);
      return y;
    },
  };
}

test("outputs that kernels only write lie side by side, those of one kernel too", () => {
  const { recording, temporary, filled } = start();
  const [x, once, twice] = [filled(3), temporary(3), temporary(3)];
  recording.dispatch(split, { x: whole(x), once: whole(once), twice: whole(twice) }, { items: 3 }, undefined);
  const lie = gatherOutputs(recording, [once, twice, filled(100), filled(1)].map(whole), "program");
  expect(new Set(lie.map(({ storage }) => storage)).size).toBe(1);
  expect(lie.map(({ offset, bytes }) => [offset, bytes])).toEqual([
    [0, 12],
    [256, 12],
    [512, 400],
    [1024, 4],
  ]);
});

test("an output that is read where another is written lies elsewhere", () => {
  const { recording, filled, copied } = start();
  const [a, b] = [filled(4), filled(4)];
  const [fromA, fromB] = [copied(a), copied(b)];
  const [first, second, third, fourth] = gatherOutputs(recording, [a, fromA, b, fromB].map(whole), "program");
  expect(first!.storage).toBe(third!.storage);
  expect(second!.storage).toBe(fourth!.storage);
  expect(first!.storage).not.toBe(second!.storage);
});

test("outputs that one kernel only reads may lie side by side", () => {
  const { recording, filled, temporary } = start();
  const [a, b, sum] = [filled(4), filled(4), temporary(4)];
  recording.dispatch(addition, { a: whole(a), b: whole(b), sum: whole(sum) }, { items: 4 }, undefined);
  const [first, second] = gatherOutputs(recording, [a, b].map(whole), "program");
  expect(first!.storage).toBe(second!.storage);
});

test("large outputs, state, and what stands alone stay where they are", () => {
  const { recording, filled } = start();
  const state = recording.storage("external", 64, "state");
  const [large, alone] = [filled(2 ** 15), filled(4)];
  const outputs = [large, state, alone].map(whole);
  expect(gatherOutputs(recording, outputs, "program")).toEqual(outputs);
});

test("a program's outputs come in their order, in as many copies as there are buffers", async () => {
  const gpu = await testGpu();
  const { recording, filled, copied } = start(new Recording(gpu.target, gpu.limits));
  const numbers = [filled(2, 1), filled(70, 2), filled(1, 3)];
  const outputs = [...numbers, copied(numbers[1]!), numbers[0]!].map(whole);
  const part = { ...outputs[1]!, offset: 256, bytes: 24 };
  const program = await compileProgram(gpu, recording, { label: "numbers", outputs: [...outputs, part] });
  const read = await (await program.run()).outputs;
  const expected = [[1, 1], new Array(70).fill(2), [3], new Array(70).fill(2), [1, 1], new Array(6).fill(2)];
  expect(read.map((bytes) => [...new Float32Array(bytes)])).toEqual(expected);
  expect(program.stats.copies).toBe(2);
  program.close();
});
