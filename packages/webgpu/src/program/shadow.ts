/** The f16 copy of memory of f32 that outlives programs: element e at byte 2e, as `packHalves` lays it out. */
export interface Shadow {
  /** Bytes that it holds, or will hold when it is made. */
  readonly bytes: number;
  /** Whether a program has asked for it. */
  readonly exists: boolean;
  /** Whether it holds what the memory holds. */
  readonly current: boolean;
  /** Where it lies, once it is made. */
  readonly buffer: GPUBuffer;
  /** Allocate it, once, and what packing it takes. */
  make(): Promise<void>;
  /** Say that the memory changed and this copy did not. */
  outdate(): void;
  /** Pack it again where it is out of date: queues the work. */
  refresh(): void;
  /** Free the copy. */
  destroy(): void;
}
