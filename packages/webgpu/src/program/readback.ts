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
      await buffer.mapAsync(GPUMapMode.READ);
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

/** Encode the copies of a program's outputs, back to back, into a staging buffer. */
export function copyOutputs(
  encoder: GPUCommandEncoder,
  outputs: Slice[],
  bufferOf: (storage: Storage) => GPUBuffer,
  target: GPUBuffer,
): void {
  let at = 0;
  for (const { storage, offset, bytes } of outputs) {
    encoder.copyBufferToBuffer(bufferOf(storage), offset, target, at, Math.ceil(bytes / 4) * 4);
    at += aligned(bytes);
  }
}

/** The outputs out of what a slot held. */
export function cutOutputs(block: ArrayBuffer, outputs: Slice[]): ArrayBuffer[] {
  let at = 0;
  return outputs.map(({ bytes }) => {
    const part = block.slice(at, at + bytes);
    at += aligned(bytes);
    return part;
  });
}
