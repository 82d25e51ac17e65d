import { key, matmul, normal, scale, type Tensor } from "@webmoe/tensor";
import type { Gpu, KernelTarget } from "@webmoe/webgpu";
import { type TimedDispatch, type TimedProgram, timePrograms } from "./time-program";

/** The most that this device was seen to do, with this project's kernels. */
export interface Peaks {
  /** Floating-point operations a second of one large matrix product. */
  flops: Record<KernelTarget["precision"], number>;
  /** Bytes a second that a kernel reads and writes when it does nothing else. */
  bytes: number;
}

/** The peaks that kernels of one precision are held against. */
export interface PrecisionPeaks {
  flops: number;
  bytes: number;
}

/** Measure a device's peaks; undefined where it has no timestamps. */
export async function measurePeaks(gpu: Gpu): Promise<Peaks | undefined> {
  if (!gpu.features.includes("timestamp-query")) return undefined;
  const { software } = gpu.adapter;
  const milliseconds = software ? 0 : 200;
  const measure = async (precision: KernelTarget["precision"]) =>
    peaksOfTimes(await timePrograms(gpu, peakPrograms(software), { precision, milliseconds }));
  const f32 = await measure("f32");
  const mixed = gpu.target.matrixUnits ? await measure("mixed") : f32;
  return { flops: { f32: f32.flops, mixed: mixed.flops }, bytes: f32.bytes };
}

/** A large matrix product, and a kernel that does nothing but read and write. */
export function peakPrograms(software: boolean): TimedProgram[] {
  const width = software ? 256 : 4096;
  const items = software ? 2 ** 20 : 2 ** 26;
  return [
    {
      state: { a: random([width, width]), b: random([width, width], 2) },
      body: ({ a, b }) => [matmul(a!, b!)],
    },
    { state: { x: random([items / 64, 64]) }, body: ({ x }: Record<string, Tensor>) => [scale(x!, 2)] },
  ];
}

/** The peaks that the times of `peakPrograms` say. */
export function peaksOfTimes([product, copy]: TimedDispatch[][]): PrecisionPeaks {
  const multiplying = product!.find(({ flops }) => flops > 0)!;
  const copying = copy![0]!;
  return {
    flops: (multiplying.flops / multiplying.microseconds) * 1e6,
    bytes: (copying.bytes / copying.microseconds) * 1e6,
  };
}

/** Random numbers to compute with. */
export const random = (shape: number[], seed = 1) => normal(shape, 1, key(seed));
