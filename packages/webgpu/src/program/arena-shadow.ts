// Products on matrix units read weights rounded to f16. Rounding all of them at every run costs a pass over memory, so an
// arena keeps a rounded copy of itself, its shadow: made when the first program asks for it, packed again after the host wrote
// the arena, and from then on written by the kernels that update the arena (use-shadows.ts).

import { GpuError, OutOfMemoryError } from "../errors";
import type { Gpu } from "../gpu";
import { packHalves } from "../kernels/pack-halves";
import { bytesText } from "./budget";
import { Recording, type Slice } from "./recording";
import type { Shadow } from "./shadow";
import { prepareSteps } from "./steps";

/** The shadow of a buffer. */
export class ArenaShadow implements Shadow {
  private made?: { buffer: GPUBuffer; refresh(): void; close(): void };
  private making?: Promise<void>;
  private outdated = true;

  constructor(
    private readonly gpu: Gpu,
    private readonly of: { buffer: GPUBuffer; label: string; bytes: number },
  ) {}

  get bytes(): number {
    return this.of.bytes / 2;
  }

  get exists(): boolean {
    return this.making !== undefined;
  }

  get current(): boolean {
    return this.made !== undefined && !this.outdated;
  }

  get buffer(): GPUBuffer {
    if (!this.made) throw new GpuError(`${this.of.label}: its f16 copy was not made`);
    return this.made.buffer;
  }

  make(): Promise<void> {
    this.making ??= this.allocate();
    return this.making;
  }

  outdate(): void {
    this.outdated = true;
  }

  refresh(): void {
    if (this.outdated) this.made?.refresh();
    this.outdated = false;
  }

  /** Free the copy. */
  destroy(): void {
    if (!this.made) return;
    this.made.close();
    this.gpu.memoryUsed -= this.bytes;
    this.made = undefined;
    this.making = undefined;
  }

  private async allocate(): Promise<void> {
    const { gpu, bytes, of } = this;
    const label = `${of.label} in f16`;
    gpu.memoryUsed += bytes;
    if (gpu.planning) {
      this.made = { buffer: { label, size: bytes } as GPUBuffer, refresh() {}, close() {} };
      return;
    }
    gpu.device.pushErrorScope("out-of-memory");
    const buffer = gpu.device.createBuffer({
      label,
      size: bytes,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC,
    });
    const outOfMemory = await gpu.device.popErrorScope();
    if (outOfMemory) {
      gpu.memoryUsed -= bytes;
      throw new OutOfMemoryError(
        `${label}: the GPU has no room for ${bytesText(bytes)}: ${outOfMemory.message.trim()}`,
      );
    }
    const recording = new Recording(gpu.target, gpu.limits);
    const whole = (buffer: GPUBuffer, bytes: number): Slice => ({
      storage: recording.storage("external", bytes, label, buffer),
      offset: 0,
      bytes,
    });
    const buffers = { x: whole(of.buffer, of.bytes), y: whole(buffer, bytes) };
    recording.dispatch(packHalves, buffers, { items: bytes / 4 }, undefined);
    const { steps, close } = await prepareSteps(gpu, recording.dispatches, ({ buffer }) => buffer!);
    const { pipeline, bindGroup, grid } = steps[0]!;
    this.made = {
      buffer,
      refresh() {
        const encoder = gpu.device.createCommandEncoder({ label });
        const pass = encoder.beginComputePass({ label });
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, bindGroup);
        pass.dispatchWorkgroups(...grid);
        pass.end();
        gpu.device.queue.submit([encoder.finish()]);
      },
      close() {
        close();
        buffer.destroy();
      },
    };
  }
}
