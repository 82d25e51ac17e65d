import { key, matmul, normal, scale, type Tensor } from "@webmoe/tensor";
import type { Gpu, KernelTarget } from "@webmoe/webgpu";
import { timeProgram } from "./time-program";

/** The most that this device was seen to do, with this project's kernels. */
export interface Peaks {
  /** Floating-point operations a second of one large matrix product. */
  flops: Record<KernelTarget["precision"], number>;
  /** Bytes a second that a kernel reads and writes when it does nothing else. */
  bytes: number;
}

/** Measure a device's peaks; undefined where it has no timestamps. */
export async function measurePeaks(gpu: Gpu): Promise<Peaks | undefined> {
  if (!gpu.features.includes("timestamp-query")) return undefined;
  const { software } = gpu.adapter;
  const width = software ? 256 : 4096;
  const items = software ? 2 ** 20 : 2 ** 26;
  const milliseconds = software ? 0 : 200;

  const product = async (precision: KernelTarget["precision"]) => {
    const state = { a: random([width, width]), b: random([width, width], 2) };
    const times = await timeProgram(gpu, { state, body: ({ a, b }) => [matmul(a, b)] }, { precision, milliseconds });
    const { flops, microseconds } = times.find(({ flops }) => flops > 0)!;
    return (flops / microseconds) * 1e6;
  };
  const f32 = await product("f32");
  const doubled = { state: { x: random([items / 64, 64]) }, body: ({ x }: { x: Tensor }) => [scale(x, 2)] };
  const copied = await timeProgram(gpu, doubled, { precision: "f32", milliseconds });
  const { bytes, microseconds } = copied[0]!;
  return {
    flops: { f32, mixed: gpu.target.matrixUnits ? await product("mixed") : f32 },
    bytes: (bytes / microseconds) * 1e6,
  };
}

/** Random numbers to compute with. */
export const random = (shape: number[], seed = 1) => normal(shape, 1, key(seed));
