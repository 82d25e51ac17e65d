import {
  aligned,
  compileProgram,
  type DispatchDigest,
  type DispatchTime,
  type Gpu,
  type KernelTarget,
  type ProgramStats,
  Recording,
  roundingParts,
  type Slice,
  withKernels,
} from "@webmoe/webgpu";
import type { DeviceTensor } from "./device-tensor";
import { type Shape, showShape, sizeOf } from "./shape";
import {
  type AnyTensor,
  type ArrayOf,
  arrayOf,
  type Dtype,
  type DtypeOf,
  Tensor,
  type TensorsOf,
  Trace,
} from "./tensor";
import { type Leaf, leaves, mapTree } from "./tree";

/** Shape and type of a value that is handed to every run. Made by `f32(...)` and `u32(...)`. */
export interface InputSpec<D extends Dtype = Dtype> {
  /** The shape; a run takes an array of as many numbers, or a number for []. */
  shape: Shape;
  /** The type of its numbers. */
  dtype: D;
}

/** The values on the host of a tree of tensors. */
export type ValuesOf<O> = O extends Leaf
  ? ArrayOf<DtypeOf<O>>
  : O extends object
    ? { [K in keyof O]: ValuesOf<O[K]> }
    : O;

/** Values on the host. A scalar is an array of one. */
export type HostArray = Float32Array | Uint32Array;

/** What to build a program from. */
export interface CompileOptions<S, I extends Record<string, InputSpec>> {
  /** What errors and profiles call the program. */
  label?: string;
  /** Trees of tensors that the program reads and may update in place. */
  state?: S;
  /** What changes from run to run: for each name a type and shape, made by `f32()` and `u32()`. */
  inputs?: I;
  /** Runs the host may queue before it waits; default 2. */
  slots?: number;
  /** Whether the program may be handed over before its shaders are compiled, for which its first run then waits. */
  early?: boolean;
  /** "mixed" lets matrix products and attention round their operands to f16; sums stay f32. Default "f32". */
  precision?: KernelTarget["precision"];
  /** Runs once while others compile, and is closed: what it takes, which should be little, is not held against the budget. */
  passing?: boolean;
}

/** A program that is ready to run. */
export interface CompiledProgram<I, O> {
  /** How many dispatches, bytes, pipelines and FLOPs a run has. */
  readonly stats: ProgramStats;
  /** Queue one run; resolves when a slot is free. Scalars may be given as numbers. */
  run(inputs: { [K in keyof I]: HostArray | number }): Promise<{ readonly outputs: Promise<ValuesOf<O>> }>;
  /** Run once with a timestamp around every kernel, in their order. Changes the state as a run does. */
  profile(inputs: { [K in keyof I]: HostArray | number }): Promise<DispatchTime[]>;
  /** Run once, kernel by kernel, and hash what each writes, to compare two devices. Changes the state as a run does. */
  digest(inputs: { [K in keyof I]: HostArray | number }): Promise<DispatchDigest[]>;
  /** Free the program's buffers; the state stays. */
  close(): void;
}

/**
 * Trace `body` and make everything that running it needs. `body` receives handles of the state and the inputs, and returns a tree of
 * the tensors to read after each run. What it does besides calling ops happens now, not every run, and again where kernels
 * had to be loaded first.
 */
export async function compile<S, const I extends Record<string, InputSpec>, O>(
  gpu: Gpu,
  { label = "program", state, inputs, slots, early, precision = "f32", passing }: CompileOptions<S, I>,
  body: (state: TensorsOf<S>, inputs: { [K in keyof I]: Tensor<I[K]["dtype"]> }) => O,
): Promise<CompiledProgram<I, O>> {
  const layout = inputLayout(inputs ?? ({} as I));
  const { recording, block, result, outputs } = await withKernels(() => {
    if (precision === "mixed") roundingParts(); // `planMemory` rounds with them
    const recording = new Recording({ ...gpu.target, precision }, gpu.limits);
    const trace = new Trace(recording);
    const block = recording.storage("inputs", layout.bytes, `${label}: inputs`);
    const handles = Object.fromEntries(
      layout.fields.map(({ name, offset, shape, dtype }) => [
        name,
        new Tensor(trace, shape, dtype, { storage: block, offset, bytes: Math.max(4, sizeOf(shape) * 4) }),
      ]),
    ) as { [K in keyof I]: Tensor<I[K]["dtype"]> };
    const stateHandles = mapTree(state, (leaf) => {
      const { shape, dtype, arena, offset } = leaf as DeviceTensor<Dtype>;
      return trace.external(shape, dtype, arena.buffer, offset, arena.shadow);
    }) as TensorsOf<S>;
    const result = body(stateHandles, handles);
    const outputs = leaves<AnyTensor>(result);
    for (const [path, tensor] of outputs) {
      if (tensor.trace !== trace) throw new Error(`${label}: output "${path}" is a tensor of another program`);
    }
    return { recording, block, result, outputs };
  });
  const slices: Slice[] = outputs.map(([, tensor]) => recording.resolve(tensor.slice));
  const stateBytes: Record<string, number> = {};
  for (const { arena } of new Set(leaves<DeviceTensor<Dtype>>(state).map(([, leaf]) => leaf)))
    stateBytes[arena.label] = arena.bytes;

  const program = await compileProgram(gpu, recording, {
    label,
    inputs: layout.bytes > 0 ? block : undefined,
    outputs: slices,
    slots,
    early,
    state: stateBytes,
    passing,
  });
  return {
    stats: program.stats,
    async run(values) {
      const ticket = await program.run(layout.pack(label, values));
      const arrays = ticket.outputs.then((blocks) => {
        const byPath = new Map(outputs.map(([path, tensor], index) => [path, arrayOf(tensor.dtype, blocks[index]!)]));
        return mapTree(result, (_, path) => byPath.get(path)!) as ValuesOf<O>;
      });
      arrays.catch(() => {}); // a caller that never looks at the outputs must not crash the process
      return { outputs: arrays };
    },
    profile: (values) => program.profile(layout.pack(label, values)),
    digest: (values) => program.digest(layout.pack(label, values)),
    close: () => program.close(),
  };
}

/** Tensors of the types that host arrays have. */
type GivenTensors<I extends Record<string, { data: HostArray }>> = {
  [K in keyof I]: Tensor<I[K]["data"] extends Uint32Array ? "u32" : "f32">;
};

/** Run `body` once on values of the host: a program of its own, made, run and closed. */
export async function evaluate<const I extends Record<string, { shape: Shape; data: HostArray }>, O>(
  gpu: Gpu,
  inputs: I,
  body: (inputs: GivenTensors<I>) => O,
): Promise<ValuesOf<O>> {
  const specs = Object.fromEntries(
    Object.entries(inputs).map(([name, { shape, data }]) => [
      name,
      { shape, dtype: data instanceof Uint32Array ? ("u32" as const) : ("f32" as const) },
    ]),
  );
  const program = await compile(gpu, { label: "evaluate", inputs: specs }, (_, handles) =>
    body(handles as GivenTensors<I>),
  );
  try {
    const ticket = await program.run(
      Object.fromEntries(Object.entries(inputs).map(([name, { data }]) => [name, data])),
    );
    return await ticket.outputs;
  } finally {
    program.close();
  }
}

/** All inputs lie in one block, uploaded by one write. */
function inputLayout(inputs: Record<string, InputSpec>) {
  let bytes = 0;
  const fields = Object.entries(inputs).map(([name, { shape, dtype }]) => {
    const offset = bytes;
    bytes += aligned(sizeOf(shape) * 4);
    return { name, shape, dtype, offset };
  });
  return {
    fields,
    bytes,
    pack(who: string, values: Record<string, HostArray | number>): ArrayBuffer | undefined {
      for (const name of Object.keys(values)) {
        if (!inputs[name]) throw new Error(`${who}: takes inputs ${Object.keys(inputs).join(", ")}, got "${name}"`);
      }
      if (bytes === 0) return undefined;
      const block = new ArrayBuffer(bytes);
      for (const { name, shape, dtype, offset } of fields) {
        const given = values[name];
        const array = typeof given === "number" ? [given] : given;
        if (array?.length !== sizeOf(shape)) {
          throw new Error(
            `${who}: input "${name}" needs shape ${showShape(shape)}, got ${array?.length ?? "no"} values`,
          );
        }
        (dtype === "u32"
          ? new Uint32Array(block, offset, array.length)
          : new Float32Array(block, offset, array.length)
        ).set(array);
      }
      return block;
    },
  };
}
