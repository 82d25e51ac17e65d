import { expect, test } from "vitest";
import { addSpares } from "../kernels/add-spares";
import { copy } from "../kernels/elementwise";
import { kernelTargets, testGpu, testNumbers } from "../testing";
import { foldPairs } from "./fold-pairs";
import { compileProgram } from "./program";
import { Recording, type Slice, type Storage } from "./recording";

const { target } = kernelTargets[1]!;
const limits = { maxStorageBufferBindingSize: 2 ** 30, maxBufferSize: 2 ** 30 };
const NONE = 0xffffffff;
const slice = (storage: Storage, offset = 0, bytes = storage.bytes): Slice => ({ storage, offset, bytes });

/** A recording of additions to ranges of 1,024 bytes of gradients: two experts with matrices of `width`. */
async function start() {
  const { device } = await testGpu();
  const recording = new Recording(target, limits);
  const external = (data: Float32Array | Uint32Array, label: string) => {
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
    const buffer = device.createBuffer({ size: data.byteLength, usage });
    device.queue.writeBuffer(buffer, 0, data as BufferSource);
    return recording.storage("external", data.byteLength, label, buffer);
  };
  const gradients = external(new Float32Array(4 * 256), "gradients");
  const add = (place: number, list: number[][], spare: Float32Array, width0: number) => {
    const [parts0, spare0] = [slice(external(Uint32Array.from(list.flat()), "parts")), slice(external(spare, "spare"))];
    const dweight0 = slice(gradients, 1024 * place, 8 * width0);
    recording.dispatch(addSpares, { parts0, spare0, dweight0 }, { width0, spares0: spare.length / width0 }, undefined);
  };
  const read = (place: number) => {
    const y = recording.storage("temporary", 1024, "read");
    recording.dispatch(copy, { x: slice(gradients, 1024 * place, 1024), y: slice(y) }, { items: 256 }, undefined);
  };
  const names = () => foldPairs(recording.dispatches, target).map(({ kernel }) => kernel.name);
  return { recording, gradients, add, read, names };
}

// Expert 1 has two spare sums; in the other list expert 0 has one, and there is room for another.
const [ofSecond, ofFirst] = [
  [
    [0, 64, 1, 0],
    [64, 64, 1, 1],
    [128, 9, 0, NONE],
    [192, 3, 1, NONE],
  ],
  [
    [0, 64, 0, 0],
    [64, 5, 0, NONE],
    [128, 0, 1, NONE],
    [0, 0, NONE, NONE],
  ],
];
const [four, odd] = [testNumbers(2 * 8, 3), testNumbers(2 * 5, 4)];

test("two by two they share a dispatch", async () => {
  const { add, names } = await start();
  for (const place of [0, 1, 2]) add(place, ofSecond, four, 8);
  expect(names()).toEqual(["addSparesOfTwo", "addSpares"]);
});

test("an addition does not wait where its result is read", async () => {
  const { add, read, names } = await start();
  add(0, ofSecond, four, 8);
  read(1);
  add(1, ofSecond, four, 8);
  read(1);
  add(2, ofSecond, four, 8);
  read(2);
  add(3, ofSecond, four, 8);
  expect(names()).toEqual(["copy", "addSparesOfTwo", "copy", "addSpares", "copy", "addSpares"]);
});

test("nor where it is added to again", async () => {
  const { add, names } = await start();
  add(0, ofSecond, four, 8);
  add(0, ofFirst, four, 8);
  expect(names()).toEqual(["addSpares", "addSpares"]);
});

test("sums land where they landed alone", async () => {
  const { recording, gradients, add } = await start();
  add(2, ofSecond, four, 8);
  add(0, ofFirst, odd, 5);
  const program = await compileProgram(await testGpu(), recording, { label: "pairs", outputs: [slice(gradients)] });
  const [block] = await (await program.run()).outputs;
  expect(program.stats.dispatches).toBe(1);
  program.close();
  const expected = new Float32Array(4 * 256);
  for (let i = 0; i < 8; i++) expected[2 * 256 + 8 + i] = Math.fround(four[i]! + four[8 + i]!);
  for (let i = 0; i < 5; i++) expected[i] = odd[i]!;
  expect([...new Float32Array(block!)]).toEqual([...expected]);
});
