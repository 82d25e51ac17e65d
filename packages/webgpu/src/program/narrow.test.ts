import { describe, expect, test } from "vitest";
import type { Kernel } from "../kernel";
import { crossEntropyBackward, crossEntropyForward } from "../kernels/cross-entropy";
import { copy } from "../kernels/elementwise";
import { combine, combineBackward } from "../kernels/expert-combine";
import { gatedBackward, gatedForward } from "../kernels/gated";
import { type KernelArray, kernelTargets, runKernel, testGpu, testNumbers } from "../testing";
import { compileProgram } from "./program";
import { Recording, type Slice, type Storage } from "./recording";

const [rows, cols] = [6, 72];
const target = kernelTargets[1]!.target;
const matrix = (seed: number, width = cols) => testNumbers(rows * width, seed);
const order = Uint32Array.from({ length: rows }, (_, p) => rows - 1 - p);

interface Case {
  name: string;
  kernel: Kernel<string, string, never>;
  /** The buffer that is held rounded, and all buffers: values of those that are read, lengths of those that are written. */
  operand: string;
  buffers: Record<string, KernelArray | number>;
  sizes: Record<string, number>;
  options?: unknown;
}

const of = <B extends string, S extends string, O>(
  kernel: Kernel<B, S, O>,
  operand: NoInfer<B>,
  buffers: Record<NoInfer<B>, KernelArray | number>,
  sizes: Record<NoInfer<S>, number>,
  options?: NoInfer<O>,
): Case => ({ name: `${kernel.name} of ${operand}`, kernel: kernel as never, operand, buffers, sizes, options });

const gated = { rows, hidden: cols };
const back = { x: matrix(1, 2 * cols), dy: matrix(2), dx: 2 * rows * cols };
const combined = { tokens: rows, topK: 1, dim: cols };
const loss = { logits: matrix(1), targets: order, lse: testNumbers(rows, 9) };
const cases: Case[] = [
  of(gatedForward, "x", { x: matrix(1, 2 * cols), y: rows * cols }, gated, { activation: "silu" }),
  of(gatedBackward, "x", back, gated, { activation: "gelu" }),
  of(gatedBackward, "dy", back, gated, { activation: "silu" }),
  of(combine, "y", { y: matrix(1), slot: order, weight: testNumbers(rows, 3), out: rows * cols }, combined),
  of(
    combineBackward,
    "y",
    {
      dout: matrix(1),
      y: matrix(2),
      source: order,
      slot: order,
      token: order,
      weight: testNumbers(rows, 3),
      dy: rows * cols,
      dweight: rows,
    },
    { rows, assignments: rows, dim: cols },
  ),
  of(crossEntropyForward, "logits", { ...loss, loss: rows, lse: rows }, { rows, cols }),
  of(
    crossEntropyBackward,
    "logits",
    { ...loss, dloss: testNumbers(rows, 5), dlogits: rows * cols },
    { rows, cols, stride: 1 },
  ),
];

const slice = (storage: Storage): Slice => ({ storage, offset: 0, bytes: storage.bytes });

/** A recording in which a temporary is written by a kernel that can round: a gate of ones passes on what comes up. */
async function start(values: Float32Array) {
  const gpu = await testGpu();
  const recording = new Recording(target, gpu.limits);
  const owned: GPUBuffer[] = [];
  const external = (data: KernelArray) => {
    const buffer = gpu.device.createBuffer({
      size: data.byteLength,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST,
    });
    gpu.device.queue.writeBuffer(buffer, 0, data as BufferSource);
    owned.push(buffer);
    return slice(recording.storage("external", data.byteLength, "given", buffer));
  };
  const temporary = (items: number) => slice(recording.storage("temporary", items * 4, "temporary"));
  const x = external(Float32Array.from({ length: 2 * values.length }, (_, i) => values[i - values.length] ?? 1));
  const passed = temporary(values.length);
  recording.dispatch(gatedForward, { x, y: passed }, { rows: 1, hidden: values.length }, { activation: "relu" });
  const run = async (outputs: Slice[]) => {
    const program = await compileProgram(gpu, recording, { label: "narrow", outputs });
    const blocks = await (await program.run()).outputs;
    program.close();
    for (const buffer of owned) buffer.destroy();
    return { values: blocks.map((block) => [...new Float32Array(block)]), bytes: program.stats.bytes.activations };
  };
  return { recording, external, temporary, passed, run };
}

/** Numbers that f16 holds. */
const rounded = (values: Float32Array) => values.map((value) => Math.round(value * 512) / 512);

describe("tensors held rounded", () => {
  test.each(cases)("are read by $name", async ({ kernel, operand, buffers, sizes, options }) => {
    const values = rounded(buffers[operand] as Float32Array);
    const { recording, external, temporary, passed, run } = await start(values);
    const slices: Record<string, Slice> = {};
    for (const [name, given] of Object.entries(buffers))
      slices[name] = name === operand ? passed : typeof given === "number" ? temporary(given) : external(given);
    recording.dispatch(kernel, slices, sizes, options as never);
    recording.mayRound.add(passed.storage);
    const written = Object.keys(buffers).filter((name) => typeof buffers[name] === "number");
    const result = await run(written.map((name) => slices[name]!));
    const expected = await runKernel(target, kernel, { ...buffers, [operand]: values }, sizes, options as never);
    expect(result.values).toEqual(written.map((name) => [...expected[name]!]));
    // Several outputs lie in memory of their own.
    const alone = written.length === 1 ? (buffers[written[0]!] as number) * 4 : 0;
    expect(result.bytes).toBe(alone + 2 * values.length);
  });

  const fine = Float32Array.of(1 + 2 ** -12, 3, 0, 0);
  const sumOf = ({ recording, external, temporary, passed }: Awaited<ReturnType<typeof start>>) => {
    const out = temporary(4);
    const given = { y: passed, slot: external(Uint32Array.of(0)), weight: external(Float32Array.of(1)), out };
    recording.dispatch(combine, given, { tokens: 1, topK: 1, dim: 4 }, undefined);
    return out;
  };

  test("lose what f16 does not hold", async () => {
    const started = await start(fine);
    const out = sumOf(started);
    started.recording.mayRound.add(started.passed.storage);
    expect((await started.run([out])).values).toEqual([[1, 3, 0, 0]]);
  });

  test("are those that ops allow", async () => {
    const started = await start(fine);
    expect((await started.run([sumOf(started)])).values).toEqual([[...fine]]);
  });

  test("are none that the host reads", async () => {
    const started = await start(fine);
    const out = sumOf(started);
    started.recording.mayRound.add(started.passed.storage);
    expect((await started.run([out, started.passed])).values).toEqual([[...fine], [...fine]]);
  });

  test("are none that a kernel reads which cannot", async () => {
    const started = await start(fine);
    const { recording, temporary, passed, run } = started;
    const [out, copied] = [sumOf(started), temporary(4)];
    recording.dispatch(copy, { x: passed, y: copied }, { items: 4 }, undefined);
    recording.mayRound.add(passed.storage);
    expect((await run([out, copied])).values).toEqual([[...fine], [...fine]]);
  });
});
