import { OutOfMemoryError } from "../errors";
import { type CompiledKernel, compileKernel, type Kernel, type KernelTarget, type RoundedBuffers } from "../kernel";
import { ALIGNMENT } from "./alignment";
import { bytesText } from "./budget";
import type { Shadow } from "./shadow";

/** What a temporary is for, where the bytes of a plan tell them apart. */
export type Purpose = "activations" | "logits";

/** A piece of memory that dispatches of one recording read and write. Only external ones have a buffer before planning. */
export interface Storage {
  /** Another number for each storage of a recording. */
  readonly id: number;
  /** What errors and buffers call it. */
  readonly label: string;
  /** Its size, at least 4. */
  readonly bytes: number;
  /**
   * "exclusive" is a temporary whose memory is never shared, so what no kernel writes in it stays zero; "shadow" the f16 copy
   * of an external one.
   */
  readonly kind: "temporary" | "exclusive" | "external" | "inputs" | "shadow";
  /** What the plan counts its bytes as. */
  readonly purpose: Purpose;
  /** The memory itself; of external storage alone. */
  readonly buffer?: GPUBuffer;
  /** Of external memory that may have an f16 copy: that copy, and its storage. */
  readonly shadow?: Shadow;
  /** The storage of that copy. */
  readonly halves?: Storage;
}

/** A range of a storage. Offsets are multiples of 256 bytes. */
export interface Slice {
  /** What it is a range of. */
  readonly storage: Storage;
  /** Bytes from the start of the storage, a multiple of 256. */
  readonly offset: number;
  /** Its length, at most what a binding may have. */
  readonly bytes: number;
}

/** One kernel call: what it binds, in binding order. */
export interface Dispatch {
  /** The shader, and how many workgroups run it. */
  readonly kernel: CompiledKernel;
  /** What each binding is bound to. */
  readonly slices: Slice[];
  /** Floating-point operations, as the kernel estimates them. */
  readonly flops: number;
  /** What `kernel` was made from. */
  readonly spec: unknown;
  /** The sizes it was compiled for, by name. */
  readonly sizes: Record<string, number>;
  /** And the options. */
  readonly options?: unknown;
  /** Which of its buffers hold numbers rounded to f16. */
  readonly rounded: RoundedBuffers;
  /** The kernel with other buffers rounded. */
  rounding(rounded: RoundedBuffers): CompiledKernel;
}

/** The ordered list of kernel calls of a program under construction. */
export class Recording {
  /** The kernel calls so far, in order. */
  readonly dispatches: Dispatch[] = [];
  /** Temporaries that may hold their numbers rounded to f16, where every kernel that uses them can. */
  readonly mayRound = new Set<Storage>();
  private storages = 0;
  private purpose: Purpose = "activations";
  private readonly redirected = new Map<Storage, Slice>();
  /** The kernel calls that bind a storage. */
  private readonly users = new Map<Storage, Set<Dispatch>>();
  /** Shaders by kernel and by what it was called with. */
  private readonly written = new Map<unknown, Map<string, CompiledKernel>>();

  constructor(
    readonly target: KernelTarget,
    readonly limits: { maxStorageBufferBindingSize: number; maxBufferSize: number },
  ) {}

  /** Name another piece of memory; nothing is allocated. */
  storage(kind: Storage["kind"], bytes: number, label: string, buffer?: GPUBuffer, shadow?: Shadow): Storage {
    const { purpose } = this;
    const own = { id: this.storages++, kind, bytes: Math.max(4, bytes), label, purpose, buffer, shadow };
    if (kind !== "external" || !shadow) return own;
    return { ...own, halves: this.storage("shadow", bytes / 2, `${label} in f16`, undefined, shadow) };
  }

  /** Let what `body` asks memory for count as `purpose`. */
  counted<T>(purpose: Purpose, body: () => T): T {
    const before = this.purpose;
    this.purpose = purpose;
    try {
      return body();
    } finally {
      this.purpose = before;
    }
  }

  /** Append a kernel call. Each buffer of the kernel is given by name. */
  dispatch<B extends string, S extends string, O>(
    kernel: Kernel<B, S, O>,
    buffers: Record<B, Slice>,
    sizes: Record<S, number>,
    options: O,
  ): void {
    const rounding = (rounded: RoundedBuffers) => this.compiled(kernel as never, sizes, options, rounded);
    const compiled = rounding({});
    const slices = Object.keys(kernel.buffers).map((name) => {
      const slice = buffers[name as B];
      if (!slice) throw new Error(`${kernel.name}: buffer "${name}" is missing`);
      const resolved = this.resolve(slice);
      this.checkBinding(kernel.name, name, resolved);
      return resolved;
    });
    checkAliases(compiled, slices);
    const flops = kernel.flops?.(sizes, options) ?? 0;
    const dispatch = { kernel: compiled, slices, flops, spec: kernel, sizes, options, rounded: {}, rounding };
    this.dispatches.push(dispatch);
    for (const { storage } of slices) this.usersOf(storage).add(dispatch);
  }

  /** Where a slice lies after redirections. */
  resolve(slice: Slice): Slice {
    const target = this.redirected.get(slice.storage);
    return target ? { ...target, offset: target.offset + slice.offset, bytes: slice.bytes } : slice;
  }

  /**
   * Let a temporary live at `target`, inside another storage, instead of in memory of its own; the kernels that use it
   * bind the target. False, and nothing happens, where that cannot be: the slice is not a whole temporary, lives
   * elsewhere already, or a kernel would bind the target's storage for reading and for writing at once.
   */
  redirect(slice: Slice, target: Slice): boolean {
    const { storage } = slice;
    const whole = storage.kind === "temporary" && slice.offset === 0 && slice.bytes === storage.bytes;
    if (!whole || this.redirected.has(storage)) return false;
    const users = this.usersOf(storage);
    for (const user of users) if (keepsApart(user, storage, target.storage)) return false;
    const ofTarget = this.usersOf(target.storage);
    for (const user of users) {
      user.slices.forEach((s, i) => {
        if (s.storage === storage) user.slices[i] = { ...target, offset: target.offset + s.offset, bytes: s.bytes };
      });
      ofTarget.add(user);
    }
    this.users.delete(storage);
    this.redirected.set(storage, target);
    return true;
  }

  private usersOf(storage: Storage): Set<Dispatch> {
    const users = this.users.get(storage) ?? new Set();
    this.users.set(storage, users);
    return users;
  }

  /** A kernel's shader, written once for all layers that call it alike. */
  private compiled<O>(
    kernel: Kernel<string, string, O>,
    sizes: Record<string, number>,
    options: O,
    rounded: RoundedBuffers,
  ): CompiledKernel {
    const written = this.written.get(kernel) ?? new Map<string, CompiledKernel>();
    this.written.set(kernel, written);
    const call = JSON.stringify([sizes, options, rounded]);
    const known = written.get(call) ?? compileKernel(kernel, sizes, this.target, options, rounded);
    written.set(call, known);
    return known;
  }

  private checkBinding(kernel: string, name: string, { bytes, offset, storage }: Slice): void {
    const limit = this.limits.maxStorageBufferBindingSize;
    if (bytes > limit) {
      throw new OutOfMemoryError(
        `${kernel}: this adapter binds at most ${bytesText(limit)} at once, got ${bytesText(bytes)} for "${name}" (${storage.label}): ` +
          "make the tensor smaller (a smaller batch, context or layer)",
      );
    }
    if (offset % ALIGNMENT !== 0) {
      throw new Error(`${kernel}: "${name}" must start at a multiple of ${ALIGNMENT} bytes, got ${offset}`);
    }
  }
}

/** Whether a kernel reads one of two storages and writes the other, so that they cannot lie in one buffer. */
function keepsApart({ kernel, slices }: Dispatch, a: Storage, b: Storage): boolean {
  const access = (storage: Storage) => kernel.access.filter((_, i) => slices[i]!.storage === storage);
  const [ofA, ofB] = [access(a), access(b)];
  return ofA.some((one) => ofB.some((other) => (one === "read") !== (other === "read")));
}

/** WebGPU forbids one buffer as read-only and writable in a dispatch, even at disjoint ranges. */
function checkAliases({ name, access }: CompiledKernel, slices: Slice[]): void {
  for (let i = 0; i < slices.length; i++) {
    for (let j = i + 1; j < slices.length; j++) {
      if (slices[i]!.storage !== slices[j]!.storage) continue;
      const oneWrites = access[i] !== "read" || access[j] !== "read";
      const bothWrite = access[i] !== "read" && access[j] !== "read";
      if (oneWrites && !(bothWrite && disjoint(slices[i]!, slices[j]!))) {
        throw new Error(
          `${name}: one buffer (${slices[i]!.storage.label}) is bound for reading and for writing at once`,
        );
      }
    }
  }
}

function disjoint(a: Slice, b: Slice): boolean {
  return a.offset + a.bytes <= b.offset || b.offset + b.bytes <= a.offset;
}
