// Outputs leave the GPU through a ring of staging buffers, so that the host can be a step ahead while it reads the
// values of the step before. A slot is taken by `take`, filled by copies that the caller encodes, and read once.

import type { Gpu } from "../gpu";
import { aligned } from "./alignment";
import type { Slice, Storage } from "./recording";

/** A staging buffer that is free to be copied into. */
export interface ReadbackSlot {
  readonly buffer: GPUBuffer;
  /** After the submit that fills the slot: resolves with a copy of its bytes and frees it. */
  read(): Promise<ArrayBuffer>;
}

/** A ring of staging buffers of one size. */
export class ReadbackRing {
  private readonly free: GPUBuffer[] = [];
  private readonly all: GPUBuffer[] = [];
  private readonly waiting: (() => void)[] = [];

  constructor(
    private readonly gpu: Gpu,
    bytes: number,
    slots: number,
    label: string,
  ) {
    for (let i = 0; i < slots; i++) {
      const buffer = gpu.device.createBuffer({
        label: `${label} readback ${i}`,
        size: bytes,
        usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
      });
      this.all.push(buffer);
      this.free.push(buffer);
    }
  }

  /** Resolves when a slot is free: this is what keeps the host at most as many steps ahead as there are slots. */
  async take(): Promise<ReadbackSlot> {
    while (this.free.length === 0) {
      await new Promise<void>((resolve) => this.waiting.push(resolve));
      this.gpu.check();
    }
    const buffer = this.free.shift()!;
    return { buffer, read: () => this.read(buffer) };
  }

  private async read(buffer: GPUBuffer): Promise<ArrayBuffer> {
    try {
      await this.gpu.waitFor(buffer.mapAsync(GPUMapMode.READ));
      const copy = buffer.getMappedRange().slice(0);
      buffer.unmap();
      return copy;
    } catch (error) {
      this.gpu.check();
      throw error;
    } finally {
      this.free.push(buffer);
      this.waiting.shift()?.();
    }
  }

  close(): void {
    for (const buffer of this.all) buffer.destroy();
  }
}

/** How the outputs of a program lie in a staging buffer. */
export interface ReadbackLayout {
  /** Bytes of a staging buffer. */
  bytes: number;
  /** How many copies fill it. */
  copies: number;
  /** Encode these copies. */
  copy(encoder: GPUCommandEncoder, bufferOf: (storage: Storage) => GPUBuffer, target: GPUBuffer): void;
  /** The outputs out of what a staging buffer held. */
  cut(block: ArrayBuffer): ArrayBuffer[];
}

/** Outputs that lie side by side in a storage leave in one copy. */
export function readbackLayout(outputs: Slice[]): ReadbackLayout {
  const ranges: { storage: Storage; from: number; to: number; at: number }[] = [];
  const starts = new Map<Slice, number>();
  let bytes = 0;
  for (const slice of outputs.toSorted((a, b) => a.storage.id - b.storage.id || a.offset - b.offset)) {
    const { storage, offset } = slice;
    const end = offset + Math.ceil(slice.bytes / 4) * 4;
    const last = ranges.at(-1);
    if (last && last.storage === storage && offset <= aligned(last.to)) last.to = Math.max(last.to, end);
    else ranges.push({ storage, from: offset, to: end, at: bytes });
    const range = ranges.at(-1)!;
    starts.set(slice, range.at + offset - range.from);
    bytes = range.at + aligned(range.to - range.from);
  }
  return {
    bytes,
    copies: ranges.length,
    copy(encoder, bufferOf, target) {
      for (const { storage, from, to, at } of ranges) {
        encoder.copyBufferToBuffer(bufferOf(storage), from, target, at, to - from);
      }
    },
    cut: (block) => outputs.map((slice) => block.slice(starts.get(slice)!, starts.get(slice)! + slice.bytes)),
  };
}
