// For tests of kernels: a shared device, and one call of one kernel on plain arrays. `@webmoe/webgpu/testing`.

import type { Gpu } from "./gpu";
import { type CompiledKernel, compileKernel, type Kernel, type KernelTarget, type RoundedBuffers } from "./kernel";
import * as spares from "./kernels/add-spares-shader";
import * as assignments from "./kernels/assignment-shaders";
import * as serialDecode from "./kernels/attention-decode-serial";
import * as decodeAttention from "./kernels/attention-decode-tiled";
import * as attention from "./kernels/attention-matrix";
import * as attentionBackward from "./kernels/attention-matrix-backward";
import * as serialAttention from "./kernels/attention-serial";
import * as tiledAttention from "./kernels/attention-tiled";
import * as tiledAttentionBackward from "./kernels/attention-tiled-backward";
import * as vectorAttention from "./kernels/attention-vector";
import * as vectorAttentionBackward from "./kernels/attention-vector-backward";
import * as draw from "./kernels/draw-token-shader";
import * as serialEmbedding from "./kernels/embedding-serial";
import * as partList from "./kernels/expert-part-list";
import * as serialSort from "./kernels/expert-sort-serial";
import { provideKernels } from "./kernels/kernels-of-target";
import * as matmul from "./kernels/matmul-matrix";
import * as serialMatmul from "./kernels/matmul-serial";
import * as momentum from "./kernels/momentum-shaders";
import { packHalves } from "./kernels/pack-halves";
import * as selections from "./kernels/selection-shaders";
import * as splits from "./kernels/splits-on-matrix-units";
import * as tiles from "./kernels/tile-of-halves";
import { openGpu } from "./node";
import { compileProgram } from "./program/program";
import { Recording, type Slice } from "./program/recording";
import * as rounding from "./program/rounding";

export { firstDifference } from "./program/digest";

// Tests run kernels of every class, whatever the adapter is.
provideKernels({
  matrix: { attention: { ...attention, ...attentionBackward }, matmul, splits, tiles },
  serial: {
    decode: serialDecode,
    embedding: serialEmbedding,
    matmul: serialMatmul,
    sort: serialSort,
  },
  attentionByOne: serialAttention,
  attentionWithVectors: { ...vectorAttention, ...vectorAttentionBackward },
  attentionInTiles: { ...tiledAttention, ...tiledAttentionBackward },
  selections,
  partList,
  spares,
  decode: { assignments, attention: decodeAttention, draw },
  momentum,
  rounding,
});

let shared: Promise<Gpu> | undefined;

/** The device that the tests of one file share. Fails, never skips, when there is no adapter. */
export function testGpu(): Promise<Gpu> {
  shared ??= openGpu({ adapter: process.env.WEBMOE_TEST_ADAPTER });
  return shared;
}

/** What every adapter can run. */
export const serialTarget: KernelTarget = {
  kernelClass: "serial",
  subgroups: false,
  matrixUnits: false,
  precision: "f32",
};

/** Matrix units with operands of f16. */
export const matrixTarget: KernelTarget = {
  kernelClass: "tiled",
  subgroups: true,
  matrixUnits: true,
  precision: "mixed",
  workgroupMemory: 49152,
};

/** The variants a kernel must be right in, named for `describe.each`. */
export const kernelTargets: { name: string; target: KernelTarget }[] = [
  { name: "serial", target: serialTarget },
  { name: "tiled", target: { ...serialTarget, kernelClass: "tiled" } },
  { name: "tiled with subgroups", target: { ...serialTarget, kernelClass: "tiled", subgroups: true } },
];

/** What a buffer of a kernel may hold. */
export type KernelArray = Float32Array | Uint32Array;

/**
 * Run one kernel once and return what every buffer holds afterwards. Buffers that are only written are given as their
 * length and come back filled by the kernel over NaN, so that an element left unwritten shows.
 */
export async function runKernel<B extends string, S extends string, O>(
  target: KernelTarget,
  kernel: Kernel<B, S, O>,
  buffers: Record<NoInfer<B>, KernelArray | number>,
  sizes: Record<NoInfer<S>, number>,
  options: O = undefined as O,
): Promise<Record<B, Float32Array> & { u32(name: B): Uint32Array }> {
  const gpu = await testGpu();
  const usable = { ...target, subgroups: target.subgroups && gpu.target.subgroups };
  const recording = new Recording(usable, gpu.limits);
  const slices = {} as Record<B, Slice>;
  const owned: GPUBuffer[] = [];
  const names = Object.keys(kernel.buffers) as B[];
  for (const name of names) {
    const given: KernelArray | number = buffers[name];
    const data = typeof given === "number" ? new Float32Array(given).fill(Number.NaN) : given;
    const buffer = gpu.device.createBuffer({
      size: Math.max(4, data.byteLength),
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
    });
    gpu.device.queue.writeBuffer(buffer, 0, data as BufferSource);
    owned.push(buffer);
    const storage = recording.storage("external", data.byteLength, name, buffer);
    slices[name] = { storage, offset: 0, bytes: Math.max(4, data.byteLength) };
  }
  recording.dispatch(kernel, slices, sizes, options);
  const program = await compileProgram(gpu, recording, {
    label: kernel.name,
    outputs: names.map((name) => slices[name]),
  });
  const blocks = await (await program.run()).outputs;
  program.close();
  for (const buffer of owned) buffer.destroy();
  const results = {} as Record<B, Float32Array>;
  names.forEach((name, index) => {
    results[name] = new Float32Array(blocks[index]!);
  });
  return Object.assign(results, { u32: (name: B) => new Uint32Array(results[name].buffer) });
}

/** Reproducible numbers in [-1, 1), for inputs of tests. */
export function testNumbers(count: number, seed = 1): Float32Array {
  let state = seed >>> 0 || 1;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/** `testNumbers` that f16 holds exactly: multiples of 1/64 below 1. */
export function halfNumbers(count: number, seed?: number): Float32Array {
  return testNumbers(count, seed).map((x) => Math.round(x * 64) / 64);
}

/** Numbers of an even count packed by `packHalves`, two to a u32. */
export async function packedHalves(x: Float32Array): Promise<Uint32Array> {
  const items = x.length / 2;
  return (await runKernel(matrixTarget, packHalves, { x, y: items }, { items })).u32("y");
}

/** The numbers of halves that are packed two to a u32. */
export function unpackedHalves(packed: Uint32Array): Float32Array {
  return Float32Array.from({ length: 2 * packed.length }, (_, i) => {
    const bits = (packed[i >> 1]! >>> (16 * (i & 1))) & 0xffff;
    const [sign, exponent, fraction] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
    return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
  });
}

/** Throw unless every element is within `tolerance` of what is expected, relative to the larger of 1 and its size. */
export function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance = 1e-5): void {
  if (actual.length !== expected.length) throw new Error(`expected ${expected.length} values, got ${actual.length}`);
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i]! - expected[i]!) / Math.max(1, Math.abs(expected[i]!));
    if (!(error <= tolerance))
      throw new Error(`value ${i}: expected ${expected[i]}, got ${actual[i]} (error ${error})`);
  }
}

let nullDevice: Promise<GPUDevice> | undefined;

/**
 * Check a kernel's shader for matrix units on a device that compiles and computes nothing: for adapters that have none.
 * Throws what the compiler says.
 */
export async function checkMatrixShader<B extends string, S extends string, O>(
  kernel: Kernel<B, S, O>,
  sizes: Record<NoInfer<S>, number>,
  options: O = undefined as O,
  rounded: RoundedBuffers = {},
): Promise<void> {
  nullDevice ??= openNullDevice();
  const device = await nullDevice;
  const untyped = kernel as unknown as Kernel<string, string, O>;
  const { wgsl } = compileKernel(untyped, sizes, matrixTarget, options, rounded);
  if (!wgsl.includes("subgroup_matrix")) throw new Error(`${kernel.name}: these sizes do not use matrix units`);
  await checkShader(device, kernel.name, wgsl);
}

/** Check the shaders of kernels for any target as `checkMatrixShader` does. */
export async function checkShaders(kernels: CompiledKernel[]): Promise<void> {
  nullDevice ??= openNullDevice();
  const device = await nullDevice;
  const names = new Map(kernels.map(({ name, wgsl }) => [wgsl, name]));
  for (const [wgsl, name] of names) await checkShader(device, name, wgsl);
}

async function checkShader(device: GPUDevice, name: string, wgsl: string): Promise<void> {
  device.pushErrorScope("validation");
  device.createShaderModule({ label: name, code: wgsl });
  const error = await device.popErrorScope();
  if (error) throw new Error(error.message);
}

async function openNullDevice(): Promise<GPUDevice> {
  const { create, globals } = await import("webgpu");
  Object.assign(globalThis, globals);
  nullInstance = create(["backend=null", "enable-dawn-features=allow_unsafe_apis"]);
  const adapter = await nullInstance.requestAdapter();
  const requiredFeatures = ["shader-f16", "subgroups", "chromium-experimental-subgroup-matrix"] as GPUFeatureName[];
  return adapter!.requestDevice({ requiredFeatures });
}

/** Dawn's instance dies with this object, and the device with it. */
let nullInstance: GPU;
