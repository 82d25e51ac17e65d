import type { Gpu } from "../gpu";
import type { Dispatch } from "./recording";
import type { Step } from "./steps";

/** What one dispatch took. */
export interface DispatchTime {
  /** Name of the kernel. */
  kernel: string;
  /** The sizes it was told, as `rows 4096, cols 128`. */
  sizes: string;
  /** When it began, after the first dispatch did. */
  start: number;
  /** How long the kernel ran, by the GPU's own clock. */
  microseconds: number;
  /** Floating-point operations, where the kernel counts them. */
  flops: number;
  /** Bytes of what it binds, those it updates in place twice: what it moves where it reads and writes everything once. */
  bytes: number;
}

/** Most dispatches whose time one query set takes: WebGPU allows 4,096 queries. */
const PER_SET = 2048;

/**
 * On a device with timestamps, run dispatches once, each in a pass of its own between two timestamps. Passes do not overlap, so the sum is more than the
 * run takes: use it for shares, and the wall clock for totals.
 */
export async function timeDispatches(gpu: Gpu, dispatches: Dispatch[], steps: Step[]): Promise<DispatchTime[]> {
  const { device } = gpu;
  const times: DispatchTime[] = [];
  let first: bigint | undefined;
  for (let from = 0; from < steps.length; from += PER_SET) {
    const part = steps.slice(from, from + PER_SET);
    const querySet = device.createQuerySet({ type: "timestamp", count: 2 * part.length });
    const bytes = 16 * part.length;
    const resolved = device.createBuffer({
      size: bytes,
      usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
    });
    const staging = device.createBuffer({ size: bytes, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    const encoder = device.createCommandEncoder({ label: "profile" });
    part.forEach(({ pipeline, bindGroup, grid }, index) => {
      const timestampWrites = {
        querySet,
        beginningOfPassWriteIndex: 2 * index,
        endOfPassWriteIndex: 2 * index + 1,
      };
      const pass = encoder.beginComputePass({ timestampWrites });
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindGroup);
      pass.dispatchWorkgroups(grid[0], grid[1], grid[2]);
      pass.end();
    });
    encoder.resolveQuerySet(querySet, 0, 2 * part.length, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, staging, 0, bytes);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    gpu.check();
    const stamps = new BigUint64Array(staging.getMappedRange());
    first ??= stamps[0]!;
    for (const [index, dispatch] of dispatches.slice(from, from + part.length).entries()) {
      const [begin, end] = [stamps[2 * index]!, stamps[2 * index + 1]!];
      times.push({
        kernel: dispatch.kernel.name,
        sizes: dispatch.kernel.sizes,
        start: Number(begin - first) / 1000,
        microseconds: Number(end - begin) / 1000,
        flops: dispatch.flops,
        bytes: boundBytes(dispatch),
      });
    }
    staging.destroy();
    resolved.destroy();
    querySet.destroy();
  }
  return times;
}

function boundBytes({ kernel, slices }: Dispatch): number {
  return slices.reduce((sum, { bytes }, index) => sum + bytes * (kernel.access[index] === "update" ? 2 : 1), 0);
}
