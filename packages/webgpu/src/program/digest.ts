// What every dispatch of a run leaves, in a few numbers: two devices that should agree bit for bit are compared by them,
// and the first kernel at which they part has a name.

import type { Gpu } from "../gpu";
import type { Dispatch, Storage } from "./recording";
import type { Step } from "./steps";

/** What one dispatch wrote. */
export interface DispatchDigest {
  /** Name of the kernel. */
  kernel: string;
  /** The sizes it was told, as `rows 4096, cols 128`. */
  sizes: string;
  /** A hash of each buffer that it writes or updates, in binding order. */
  written: number[];
}

/** Run dispatches one by one, and hash what each has written. */
export async function digestDispatches(
  gpu: Gpu,
  dispatches: Dispatch[],
  steps: Step[],
  bufferOf: (storage: Storage) => GPUBuffer,
): Promise<DispatchDigest[]> {
  const { device } = gpu;
  const digests: DispatchDigest[] = [];
  for (const [index, { kernel, slices }] of dispatches.entries()) {
    const { pipeline, bindGroup, grid } = steps[index]!;
    const written = slices.filter((_, binding) => kernel.access[binding] !== "read");
    const size = written.reduce((total, { bytes }) => total + 4 * Math.ceil(bytes / 4), 0);
    const staging = device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    const encoder = device.createCommandEncoder({ label: "digest" });
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindGroup);
    pass.dispatchWorkgroups(grid[0], grid[1], grid[2]);
    pass.end();
    const ranges: [start: number, words: number][] = [];
    let at = 0;
    for (const { storage, offset, bytes } of written) {
      const words = Math.ceil(bytes / 4);
      encoder.copyBufferToBuffer(bufferOf(storage), offset, staging, at, 4 * words);
      ranges.push([at, words]);
      at += 4 * words;
    }
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    gpu.check();
    const block = staging.getMappedRange();
    const hashes = ranges.map(([start, words]) => hashWords(new Uint32Array(block, start, words)));
    digests.push({ kernel: kernel.name, sizes: kernel.sizes, written: hashes });
    staging.destroy();
  }
  return digests;
}

/** FNV-1a over words in place of bytes. */
function hashWords(words: Uint32Array): number {
  let hash = 0x811c9dc5;
  for (const word of words) hash = Math.imul(hash ^ word, 0x01000193);
  return hash >>> 0;
}

/** The first dispatch at which two digests of one program part, in words; undefined where they are equal. */
export function firstDifference(one: DispatchDigest[], other: DispatchDigest[]): string | undefined {
  for (let i = 0; i < Math.max(one.length, other.length); i++) {
    const [a, b] = [one[i], other[i]];
    if (!a || !b) return `dispatch ${i}: one run ends before ${(a ?? b)!.kernel}`;
    if (a.kernel !== b.kernel || a.sizes !== b.sizes) {
      return `dispatch ${i}: ${a.kernel} (${a.sizes}) in one run, ${b.kernel} (${b.sizes}) in the other`;
    }
    const buffer = a.written.findIndex((hash, index) => hash !== b.written[index]);
    if (buffer >= 0)
      return `dispatch ${i}: ${a.kernel} (${a.sizes}) writes other bits into buffer ${buffer} of its outputs`;
  }
  return undefined;
}
