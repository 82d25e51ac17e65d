import {
  aligned,
  type Kernel,
  type KernelTarget,
  type Recording,
  type Shadow,
  type Slice,
  type Storage,
} from "@webmoe/webgpu";
import { type Shape, showShape, sizeOf } from "./shape";
import { LEAF, type Leaf } from "./tree";

/** Element types. */
export type Dtype = "f32" | "u32";

/** The array that holds elements of a type on the host. */
export type ArrayOf<D extends Dtype> = D extends "u32" ? Uint32Array : Float32Array;

/** Bytes of the device as elements of a type. */
export function arrayOf<D extends Dtype>(dtype: D, bytes: ArrayBuffer): ArrayOf<D> {
  return (dtype === "u32" ? new Uint32Array(bytes) : new Float32Array(bytes)) as ArrayOf<D>;
}

/** The element type of a leaf. */
export type DtypeOf<L> = L extends { readonly dtype: infer D extends Dtype } ? D : "f32";

/** A tensor of any element type. */
export type AnyTensor = Tensor<Dtype>;

/**
 * A value inside a program under construction: a shape, and the memory it will have when the program runs. Elements are
 * f32 unless the type says otherwise: `Tensor<"u32">`.
 */
export class Tensor<D extends Dtype = "f32"> {
  readonly [LEAF] = true as const;

  constructor(
    /** The program it belongs to. */
    readonly trace: Trace,
    readonly shape: Shape,
    readonly dtype: D,
    readonly slice: Slice,
  ) {}

  /** How many elements it has. */
  get size(): number {
    return sizeOf(this.shape);
  }

  /** Type and shape, as messages show them. */
  toString(): string {
    return `${this.dtype}${showShape(this.shape)}`;
  }
}

/**
 * A gradient that is a sum over rows, as those of weights and biases are. Where several layers share a weight, `gradients`
 * puts the rows of all of them under one another and sums once.
 */
export interface SumOverRows {
  /** What the sum is of: [T, ...] each. */
  rows: AnyTensor[];
  /** The sum itself; a function known by name, since what has the same one is summed together. */
  // biome-ignore lint/suspicious/noExplicitAny: it takes tensors of the types that `rows` has
  total(...rows: Tensor<any>[]): Tensor;
  /** Which rows of the sum are the gradient, all by default: inputs that are parts of one sum share it. */
  range?: readonly [start: number, end: number];
}

/**
 * A sum over rows that is computed beside those of other inputs, as the gradients of matrices are that every layer has its own
 * of: alone each would take longer to start than to run.
 */
export interface SumBeside {
  /** What the sum is of: [T, ...] each. */
  rows: AnyTensor[];
  /** As many sums, of equal parts of rows that lie under one another; a function known by name. */
  // biome-ignore lint/suspicious/noExplicitAny: it takes tensors of the types that `rows` has
  totals(count: number, ...rows: Tensor<any>[]): Tensor[];
}

/** A gradient that can be added to another as it is computed, which takes one kernel where a sum would take two. */
export interface GradientOnto {
  /** `base` and the gradient, or the gradient alone. */
  onto(base?: Tensor): Tensor;
}

/** What a rule gives an input: its gradient, in a form that can be summed with others or at once; nothing where it has none. */
export type Gradient = Tensor | SumOverRows | SumBeside | GradientOnto | undefined;

/** How the gradient flows through one op: from the gradients of its outputs to those of its inputs. */
export type GradientRule = (...dy: (Tensor | undefined)[]) => Gradient[];

/** One op as `gradients()` sees it. A missing rule means that the op has no gradient; null that it stops here on purpose. */
export interface TraceNode {
  name: string;
  inputs: AnyTensor[];
  outputs: AnyTensor[];
  rule?: GradientRule | null;
  /** In place of a rule: records the ops inside once more and returns them, with what `outputs` are this time. */
  again?(): { nodes: TraceNode[]; outputs: AnyTensor[] };
}

/** The construction of one program: its kernel calls, and which op made which tensor. */
export class Trace {
  /** What was computed so far, in order, for the walk back. */
  readonly nodes: TraceNode[] = [];
  private readonly externals = new Map<GPUBuffer, Storage>();

  constructor(readonly recording: Recording) {}

  /** Which variants of the kernels are recorded. */
  get target(): KernelTarget {
    return this.recording.target;
  }

  /** A tensor in memory that the program plans. */
  temporary<D extends Dtype>(shape: Shape, dtype: D, label: string): Tensor<D> {
    const bytes = sizeOf(shape) * 4;
    const storage = this.recording.storage("temporary", bytes, label);
    return new Tensor(this, shape, dtype, { storage, offset: 0, bytes: Math.max(4, bytes) });
  }

  /** A handle on memory that outlives the program; `shadow` is what may keep an f16 copy of it. */
  external<D extends Dtype>(shape: Shape, dtype: D, buffer: GPUBuffer, offset: number, shadow?: Shadow): Tensor<D> {
    let storage = this.externals.get(buffer);
    if (!storage) {
      storage = this.recording.storage("external", buffer.size, buffer.label, buffer, shadow);
      this.externals.set(buffer, storage);
    }
    return new Tensor(this, shape, dtype, { storage, offset, bytes: Math.max(4, sizeOf(shape) * 4) });
  }
}

/** A tree of tensors shaped and typed as the leaves of `T`. */
export type TensorsOf<T> = T extends Leaf
  ? Tensor<DtypeOf<T>>
  : T extends object
    ? { [K in keyof T]: TensorsOf<T[K]> }
    : T;

/** Shapes of the tensors a kernel writes; a u32 one is given as `u32(shape)`. */
export type OutputShape = Shape | { shape: Shape; dtype: Dtype };

/** The tensor that an output shape asks for. */
export type OutputOf<S> = S extends { dtype: infer D extends Dtype } ? Tensor<D> : Tensor;

/** Say that an output has elements of type u32. */
export function u32(...shape: number[]): { shape: Shape; dtype: "u32" } {
  return { shape, dtype: "u32" };
}

/** Say that an input or output has elements of type f32. */
export function f32(...shape: number[]): { shape: Shape; dtype: "f32" } {
  return { shape, dtype: "f32" };
}

/**
 * Append one kernel call to the program. `inputs` are the buffers that the kernel reads or updates in place, `outputs`
 * the shapes of those it writes; each buffer of the kernel is in one of the two. Returns the written tensors.
 */
export function place<B extends string, S extends string, O, W extends { [name in B]?: OutputShape }>(
  kernel: Kernel<B, S, O>,
  inputs: Record<Exclude<B, keyof W>, AnyTensor>,
  sizes: Record<NoInfer<S>, number>,
  outputs: W,
  options: NoInfer<O> = undefined as O,
): { [name in keyof W]: OutputOf<W[name]> } {
  const given = Object.values<AnyTensor>(inputs);
  const trace = oneTrace(kernel.name, given);
  const written: Record<string, AnyTensor> = {};
  for (const [name, output] of Object.entries<OutputShape>(outputs as Record<string, OutputShape>)) {
    const { shape, dtype } = "shape" in output ? output : { shape: output, dtype: "f32" as const };
    written[name] = trace.temporary(shape, dtype, `${kernel.name}.${name}`);
  }
  const slices = {} as Record<B, Slice>;
  for (const [name, tensor] of Object.entries<AnyTensor>({ ...inputs, ...written })) slices[name as B] = tensor.slice;
  trace.recording.dispatch(kernel, slices, sizes, options);
  return written as { [name in keyof W]: OutputOf<W[name]> };
}

/** The program that all tensors belong to. */
export function oneTrace(who: string, tensors: AnyTensor[]): Trace {
  const trace = tensors[0]?.trace;
  if (!trace) throw new Error(`${who}: needs at least one tensor to know its program`);
  for (const tensor of tensors) {
    if (!(LEAF in tensor) || !tensor.trace) {
      throw new Error(`${who}: needs tensors of the program, got a value from outside: declare it as state or input`);
    }
    if (tensor.trace !== trace) {
      throw new Error(`${who}: needs tensors of one program, got ${tensor} of another: declare it as state or input`);
    }
  }
  return trace;
}

/** Declare how the gradient flows from `output` to `inputs`; one entry per input, undefined for none. */
export function withGradient(
  name: string,
  output: Tensor,
  inputs: AnyTensor[],
  rule: (dy: Tensor) => Gradient[],
): Tensor {
  output.trace.nodes.push({ name, inputs, outputs: [output], rule: (dy) => rule(dy!) });
  return output;
}

/** As `withGradient` for an op with several outputs; the gradient of an output that nothing used is undefined. */
export function withGradients(name: string, outputs: AnyTensor[], inputs: AnyTensor[], rule: GradientRule): void {
  outputs[0]!.trace.nodes.push({ name, inputs, outputs, rule });
}

/** Declare that an op has no gradient: asking for one through it is an error. */
export function withoutGradient(name: string, outputs: AnyTensor[], inputs: AnyTensor[]): void {
  outputs[0]!.trace.nodes.push({ name, inputs, outputs });
}

/** The same values; gradients end here. */
export function stopGradient<D extends Dtype>(x: Tensor<D>): Tensor<D> {
  const y = new Tensor(x.trace, x.shape, x.dtype, x.slice);
  x.trace.nodes.push({ name: "stopGradient", inputs: [x], outputs: [y], rule: null });
  return y;
}

/** The same elements in another shape; no kernel runs. */
export function reshape<D extends Dtype>(x: Tensor<D>, shape: Shape): Tensor<D> {
  if (sizeOf(shape) !== x.size) {
    throw new Error(`reshape: needs as many elements, got ${showShape(x.shape)} to ${showShape(shape)}`);
  }
  const y = new Tensor(x.trace, shape, x.dtype, x.slice);
  x.trace.nodes.push({ name: "reshape", inputs: [x], outputs: [y], rule: (dy) => [dy && reshape(dy, x.shape)] });
  return y;
}

/** Rows `start` to `end` of the first axis, in the memory of `x`; no kernel runs. `start` must fall on 256 bytes. */
export function rowRange<D extends Dtype>(x: Tensor<D>, start: number, end: number): Tensor<D> {
  const rowBytes = (x.size / x.shape[0]!) * 4;
  if (start < 0 || end > x.shape[0]! || start >= end) {
    throw new Error(`rowRange: needs rows within ${showShape(x.shape)}, got ${start} to ${end}`);
  }
  const slice = {
    storage: x.slice.storage,
    offset: x.slice.offset + start * rowBytes,
    bytes: (end - start) * rowBytes,
  };
  if (slice.offset !== aligned(slice.offset)) {
    throw new Error(`rowRange: needs a start on a multiple of 256 bytes, got row ${start} of ${rowBytes} bytes each`);
  }
  const y = new Tensor(x.trace, [end - start, ...x.shape.slice(1)], x.dtype, slice);
  withoutGradient("rowRange", [y], [x]);
  return y;
}
