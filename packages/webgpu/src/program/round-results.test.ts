import { describe, expect, test } from "vitest";
import { type Kernel, type KernelTarget, kernel } from "../kernel";
import { crossEntropyBackward } from "../kernels/cross-entropy";
import { accumulate } from "../kernels/elementwise";
import { combineBackward } from "../kernels/expert-combine";
import { gatedBackward, gatedForward } from "../kernels/gated";
import { packHalves } from "../kernels/pack-halves";
import { addRmsNormBackward, addRmsNormForward, rmsNormBackward, rmsNormForward } from "../kernels/rms-norm";
import { rope } from "../kernels/rope";
import { type KernelArray, kernelTargets, runKernel, testGpu, testNumbers } from "../testing";
import { planTools } from "./plan-tools";
import { compileProgram } from "./program";
import { Recording, type Slice, type Storage } from "./recording";
import { roundResults } from "./round-results";

interface Case {
  name: string;
  kernel: Kernel<string, string, never>;
  /** The result that is packed, and all buffers: values of those that are read, lengths of those that are written. */
  result: string;
  buffers: Record<string, KernelArray | number>;
  sizes: Record<string, number>;
  options?: unknown;
}

const [rows, cols] = [6, 72];
const matrix = (seed: number, width = cols) => testNumbers(rows * width, seed);
const inverse = testNumbers(rows, 9);
const whole = rows * cols;
const normed = { x: matrix(1), weight: testNumbers(cols, 2) };
const back = { ...normed, inverse, dy: matrix(3), dx: whole };
const gated = { rows, hidden: cols };
const order = Uint32Array.from({ length: rows }, (_, p) => rows - 1 - p);

const of = <B extends string, S extends string, O>(
  kernel: Kernel<B, S, O>,
  result: NoInfer<B>,
  buffers: Record<NoInfer<B>, KernelArray | number>,
  sizes: Record<NoInfer<S>, number>,
  options?: NoInfer<O>,
): Case => ({ name: kernel.name, kernel: kernel as never, result, buffers, sizes, options });

const cases: Case[] = [
  of(gatedForward, "y", { x: matrix(1, 2 * cols), y: whole }, gated, { activation: "silu" }),
  of(gatedBackward, "dx", { x: matrix(1, 2 * cols), dy: matrix(2), dx: 2 * whole }, gated, { activation: "gelu" }),
  of(rmsNormForward, "y", { ...normed, y: whole, inverse: rows }, { rows, cols, eps: 1e-5 }),
  of(
    addRmsNormForward,
    "y",
    { ...normed, branch: matrix(4), sum: whole, y: whole, inverse: rows },
    { rows, cols, eps: 1e-5 },
  ),
  of(rmsNormBackward, "dx", back, { rows, cols }),
  of(addRmsNormBackward, "dx", { ...back, dskip: matrix(5) }, { rows, cols }),
  of(
    rope,
    "y",
    { x: matrix(1), y: whole },
    { tokens: rows, context: 3, heads: 1, headDim: 24, base: 10000, direction: -1 },
  ),
  of(
    combineBackward,
    "dy",
    {
      dout: matrix(1),
      y: matrix(2),
      source: order,
      slot: order,
      token: order,
      weight: inverse,
      dy: whole,
      dweight: rows,
    },
    { rows, assignments: rows, dim: cols },
  ),
  of(
    crossEntropyBackward,
    "dlogits",
    { logits: matrix(1), targets: order, lse: inverse, dloss: inverse, dlogits: whole },
    { rows, cols, stride: 1 },
  ),
];

/** Run a kernel and then `packHalves` on its result, as a program; the result itself is an output too, or not. */
async function runPacked({ kernel, result, buffers, sizes, options }: Case, target: KernelTarget, keep: boolean) {
  const gpu = await testGpu();
  const recording = new Recording(target, gpu.limits);
  const owned: GPUBuffer[] = [];
  const slices: Record<string, Slice> = {};
  for (const [name, given] of Object.entries(buffers)) {
    const bytes = typeof given === "number" ? given * 4 : given.byteLength;
    const written = kernel.buffers[name]!.startsWith("write");
    let buffer: GPUBuffer | undefined;
    if (!written) {
      buffer = gpu.device.createBuffer({ size: bytes, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST });
      gpu.device.queue.writeBuffer(buffer, 0, given as BufferSource);
      owned.push(buffer);
    }
    const storage = recording.storage(written ? "temporary" : "external", bytes, name, buffer);
    slices[name] = { storage, offset: 0, bytes };
  }
  const x = slices[result]!;
  const packed = recording.storage("temporary", x.bytes / 2, "packed");
  const y: Slice = { storage: packed, offset: 0, bytes: packed.bytes };
  recording.dispatch(kernel, slices, sizes, options as never);
  recording.dispatch(packHalves, { x, y }, { items: x.bytes / 8 }, undefined);
  const program = await compileProgram(gpu, recording, { label: kernel.name, outputs: keep ? [y, x] : [y] });
  const [halves, plain] = await (await program.run()).outputs;
  program.close();
  for (const buffer of owned) buffer.destroy();
  return {
    dispatches: program.stats.dispatches,
    halves: new Uint32Array(halves!),
    plain: plain && new Float32Array(plain),
  };
}

describe.each(kernelTargets.slice(1))("results rounded where they are written, $name", ({ target }) => {
  test.each(cases)("$name", async (given) => {
    const gpu = await testGpu();
    const usable = { ...target, subgroups: target.subgroups && gpu.target.subgroups };
    const { kernel, result, buffers, sizes, options } = given;
    const alone = (await runKernel(target, kernel, buffers, sizes, options as never))[result]!;
    const expected = await runKernel(
      target,
      packHalves,
      { x: alone, y: alone.length / 2 },
      { items: alone.length / 2 },
    );
    const [besides, instead] = [await runPacked(given, usable, true), await runPacked(given, usable, false)];
    // One more buffer than the eight that every adapter binds is one too many.
    const eight = Object.keys(buffers).length === 8;
    expect([besides.dispatches, instead.dispatches]).toEqual([eight ? 2 : 1, 1]);
    expect([...besides.plain!]).toEqual([...alone]);
    expect(besides.halves).toEqual(expected.u32("y"));
    expect(instead.halves).toEqual(expected.u32("y"));
  });
});

describe("a pass of its own stays", () => {
  const target = kernelTargets[1]!.target;
  const slice = (storage: Storage, bytes = storage.bytes, offset = 0): Slice => ({ storage, offset, bytes });

  function record(width: number, more?: (recording: Recording, x: Storage, packed: Storage) => void) {
    const recording = new Recording(target, { maxStorageBufferBindingSize: 2 ** 30, maxBufferSize: 2 ** 30 });
    const temporary = (items: number) => recording.storage("temporary", items * 4, "temporary");
    const [input, x, packed] = [temporary(8 * width), temporary(4 * width), temporary(2 * width)];
    const buffers = { x: slice(input), y: slice(x) };
    recording.dispatch(gatedForward, buffers, { rows: 4, hidden: width }, { activation: "silu" });
    more?.(recording, x, packed);
    recording.dispatch(packHalves, { x: slice(x), y: slice(packed) }, { items: 2 * width }, undefined);
    return roundResults(recording.dispatches, new Set([packed]), planTools).map(({ kernel }) => kernel.name);
  }

  test("but not where it could be spared", () => expect(record(64)).toEqual(["gatedForward"]));

  test("nor where kernels write it in parts, unless one of them cannot round", () => {
    const part = (results: string[]) =>
      kernel({
        name: results.length > 0 ? "part" : "partInFull",
        buffers: { x: "read", y: "write" },
        sizes: { start: "u32" },
        source: () => {
          const write = results.length > 0 ? "write_y(sizes.start + i, x[i]);" : "y[sizes.start + i] = x[i];";
          return {
            form: "items",
            items: 8,
            vectors: { x: "vec4f", y: "vec4f" },
            results,
            wgsl: `fn run(i: u32) { ${write} }`,
          };
        },
      });
    const recordParts = (results: string[]) => {
      const recording = new Recording(target, { maxStorageBufferBindingSize: 2 ** 30, maxBufferSize: 2 ** 30 });
      const [x, y] = [recording.storage("inputs", 128, "x"), recording.storage("temporary", 256, "y")];
      const packed = recording.storage("temporary", 128, "packed");
      recording.dispatch(part(["y"]), { x: slice(x), y: slice(y) }, { start: 0 }, undefined);
      recording.dispatch(part(results), { x: slice(x), y: slice(y) }, { start: 8 }, undefined);
      recording.dispatch(packHalves, { x: slice(y), y: slice(packed) }, { items: 32 }, undefined);
      return { recording, packed };
    };
    const names = (results: string[]) => {
      const { recording, packed } = recordParts(results);
      return roundResults(recording.dispatches, new Set([packed]), planTools).map(({ kernel, slices }) => [
        kernel.name,
        slices.at(-1)!.storage === packed,
      ]);
    };
    expect(names(["y"])).toEqual([
      ["part", true],
      ["part", true],
    ]);
    expect(names([])).toEqual([
      ["part", false],
      ["partInFull", false],
      ["packHalves", true],
    ]);
  });

  test("nor where tensors are packed to places in one piece of memory, unless another kernel writes there", () => {
    const packedTo = (...offsets: number[]) => {
      const recording = new Recording(target, { maxStorageBufferBindingSize: 2 ** 30, maxBufferSize: 2 ** 30 });
      const packed = recording.storage("temporary", 1024, "packed");
      for (const offset of offsets) {
        const [input, x] = [recording.storage("temporary", 2048, "input"), recording.storage("temporary", 1024, "x")];
        const buffers = { x: slice(input), y: slice(x) };
        recording.dispatch(gatedForward, buffers, { rows: 4, hidden: 64 }, { activation: "silu" });
        recording.dispatch(packHalves, { x: slice(x), y: slice(packed, 512, offset) }, { items: 128 }, undefined);
      }
      const rounded = roundResults(recording.dispatches, new Set([packed]), planTools);
      return rounded.flatMap(({ slices }) => slices.filter(({ storage }) => storage === packed)).map((y) => y.offset);
    };
    expect(packedTo(512, 0)).toEqual([512, 0]);
    expect(
      record(64, (recording, _, packed) => {
        const other = recording.storage("temporary", packed.bytes, "other");
        recording.dispatch(accumulate, { x: slice(other), y: slice(packed) }, { items: packed.bytes / 4 }, undefined);
      }),
    ).toEqual(["gatedForward", "accumulate", "packHalves"]);
  });

  test("where rows are too narrow for vectors", () => expect(record(6)).toEqual(["gatedForward", "packHalves"]));

  test("where another kernel changes the tensor in between", () => {
    const names = record(64, (recording, x) => {
      const other = recording.storage("temporary", x.bytes, "other");
      recording.dispatch(accumulate, { x: slice(other), y: slice(x) }, { items: x.bytes / 4 }, undefined);
    });
    expect(names).toEqual(["gatedForward", "accumulate", "packHalves"]);
  });

  test("where what it packs lies in memory that outlives the program", () => {
    const names = record(64, (recording, x) => {
      const arena = recording.storage("external", 2 * x.bytes, "arena");
      expect(recording.redirect(slice(x), slice(arena, x.bytes))).toBe(true);
    });
    expect(names).toEqual(["gatedForward", "packHalves"]);
  });
});
