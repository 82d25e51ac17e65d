import {
  ALIGNMENT,
  ArenaShadow,
  aligned,
  bytesText,
  checkBudget,
  type Gpu,
  noRoom,
  OutOfMemoryError,
  type Shadow,
} from "@webmoe/webgpu";
import { type Shape, showShape, sizeOf } from "./shape";
import { type ArrayOf, arrayOf, type Dtype, type DtypeOf } from "./tensor";
import { LEAF, type Leaf, leaves, mapTree } from "./tree";

/** A tensor that outlives programs: parameters, optimizer moments, caches. A range of an arena on the device. */
export interface DeviceTensor<D extends Dtype = "f32"> extends Leaf {
  /** The extent of each axis, the outermost first. */
  readonly shape: Shape;
  /** The type of its elements, 4 bytes each. */
  readonly dtype: D;
  /** The memory that it is a range of. */
  readonly arena: Arena;
  /** In bytes from the start of the arena. */
  readonly offset: number;
}

/** One buffer that holds many tensors, each in an `arenaRange` of its own; what lies between them is zero. */
export interface Arena {
  /** The device it is on. */
  readonly gpu: Gpu;
  /** The buffer that all its tensors share. */
  readonly buffer: GPUBuffer;
  /** What errors call it. */
  readonly label: string;
  /** The size of the buffer. */
  readonly bytes: number;
  /** Its f16 copy, made when a program in mixed precision first reads it. */
  readonly shadow: Shadow;
}

/** Bytes that a tensor takes of an arena: its own, up to where a binding of the next one's f16 copy can start. */
export function arenaRange(bytes: number): number {
  return aligned(bytes, 2 * ALIGNMENT);
}

/** The shape and type that memory is asked for with. */
export interface Spec<D extends Dtype = "f32"> extends Leaf {
  /** The extent of each axis, the outermost first. */
  readonly shape: Shape;
  /** The type of its elements. */
  readonly dtype: D;
}

/** A leaf that says what to allocate. */
export function spec<D extends Dtype = "f32">(shape: Shape, dtype?: D): Spec<D> {
  return { [LEAF]: true, shape, dtype: dtype ?? ("f32" as D) };
}

/** A tree of memory shaped and typed as the leaves of `T`. */
export type Allocated<T> = T extends Leaf
  ? DeviceTensor<DtypeOf<T>>
  : T extends object
    ? { [K in keyof T]: Allocated<T[K]> }
    : T;

/**
 * Allocate zeroed memory for every leaf of a tree of specs (or of tensors to be shaped like). Matrices come before
 * vectors, so that an optimizer that treats the two apart finds each in one range; an arena is at most one binding long.
 */
export async function allocate<T>(gpu: Gpu, tree: T, label: string): Promise<Allocated<T>> {
  const wanted = leaves<Spec<Dtype>>(tree);
  const ordered = [...wanted.filter(([, s]) => s.shape.length > 1), ...wanted.filter(([, s]) => s.shape.length <= 1)];
  const limit = Math.min(gpu.limits.maxStorageBufferBindingSize, gpu.limits.maxBufferSize);
  const total = ordered.reduce((sum, [, { shape }]) => sum + arenaRange(sizeOf(shape) * 4), 0);
  checkBudget(gpu, label, total);

  const groups: [path: string, leaf: Spec<Dtype>][][] = [];
  let room = 0;
  for (const [path, leaf] of ordered) {
    const bytes = arenaRange(sizeOf(leaf.shape) * 4);
    if (bytes > limit) {
      throw new OutOfMemoryError(
        `${label}: a tensor may take at most ${bytesText(limit)} on this adapter, got ${path} ${showShape(leaf.shape)} of ${bytesText(bytes)}: ` +
          "make it smaller (a smaller vocabulary, width or number of experts)",
      );
    }
    if (bytes > room) {
      groups.push([]);
      room = limit;
    }
    groups.at(-1)!.push([path, leaf]);
    room -= bytes;
  }

  if (!gpu.planning) gpu.device.pushErrorScope("out-of-memory");
  const placed = new Map<string, DeviceTensor<Dtype>>();
  for (const [index, group] of groups.entries()) {
    const used = group.reduce((sum, [, { shape }]) => sum + arenaRange(sizeOf(shape) * 4), 0);
    const bytes = Math.max(arenaRange(1), used);
    const name = groups.length > 1 ? `${label} ${index}` : label;
    const arena = makeArena(gpu, name, bytes);
    gpu.memoryUsed += arena.bytes;
    let offset = 0;
    for (const [path, { shape, dtype }] of group) {
      placed.set(path, { [LEAF]: true, shape, dtype, arena, offset });
      offset += arenaRange(sizeOf(shape) * 4);
    }
  }
  const outOfMemory = gpu.planning ? undefined : await gpu.device.popErrorScope();
  if (outOfMemory) {
    release([...placed.values()]);
    throw noRoom(label, total, outOfMemory);
  }
  return mapTree(tree, (_, path) => placed.get(path)!) as Allocated<T>;
}

function makeArena(gpu: Gpu, label: string, bytes: number): Arena {
  const buffer = gpu.planning
    ? ({ label, size: bytes, destroy() {} } as GPUBuffer)
    : gpu.device.createBuffer({
        label,
        size: bytes,
        usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
      });
  return { gpu, buffer, label, bytes, shadow: new ArenaShadow(gpu, { buffer, label, bytes }) };
}

/** Free the memory of every leaf. Programs that use it must be closed first. */
export function release(tree: unknown): void {
  for (const { gpu, buffer, bytes, shadow } of new Set(
    leaves<DeviceTensor<Dtype>>(tree).map(([, { arena }]) => arena),
  )) {
    gpu.memoryUsed -= bytes;
    shadow.destroy();
    buffer.destroy();
  }
}

/** Copy a tensor's values to the host. */
export async function readTensor<D extends Dtype>({
  arena,
  offset,
  shape,
  dtype,
}: DeviceTensor<D>): Promise<ArrayOf<D>> {
  const { device } = arena.gpu;
  const bytes = sizeOf(shape) * 4;
  arena.gpu.check();
  const staging = device.createBuffer({ size: bytes, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(arena.buffer, offset, staging, 0, bytes);
  device.queue.submit([encoder.finish()]);
  try {
    await staging.mapAsync(GPUMapMode.READ);
  } catch (error) {
    arena.gpu.check();
    throw error;
  }
  const copy = staging.getMappedRange().slice(0);
  staging.destroy();
  return arrayOf(dtype, copy);
}

/** Replace a tensor's values by those of the host. */
export function writeTensor<D extends Dtype>(tensor: DeviceTensor<D>, values: ArrayOf<D>): void {
  const { arena, offset, shape } = tensor;
  if (values.length !== sizeOf(shape)) {
    throw new Error(`writeTensor: needs ${sizeOf(shape)} values for ${showShape(shape)}, got ${values.length}`);
  }
  if (arena.gpu.planning) return;
  arena.gpu.check();
  arena.gpu.device.queue.writeBuffer(arena.buffer, offset, values as BufferSource);
  arena.shadow.outdate();
}
