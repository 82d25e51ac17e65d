// Products on matrix units read weights rounded to f16. Rounding all of them at every run costs a pass over memory, so an
// arena keeps a rounded copy of itself, its shadow: made when the first program asks for it, packed again after the host wrote
// the arena, and from then on written by the kernels that update the arena (use-shadows.ts).

import { GpuError } from "../errors";
import type { Gpu } from "../gpu";
import { roundingParts } from "../kernels/kernels-of-target";
import { noRoom } from "./budget";
import type { Halves } from "./make-halves";
import { Recording } from "./recording";
import type { Shadow } from "./shadow";
import { prepareSteps } from "./steps";

/** The shadow of a buffer. */
export class ArenaShadow implements Shadow {
  private made?: Halves;
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
    // Whoever recorded the program that reads this copy has loaded what packs it.
    const workshop = { Recording, prepareSteps, noRoom };
    this.made = await roundingParts()
      .makeHalves(gpu, of.buffer, label, workshop)
      .catch((error) => {
        gpu.memoryUsed -= bytes;
        throw error;
      });
  }
}
