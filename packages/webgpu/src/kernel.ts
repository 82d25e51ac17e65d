// A kernel is a typed record: the buffers it binds with their access, the sizes it is told, and the WGSL of one function
// `run`. Everything around `run` is written here from the record: bindings, the sizes, the entry point and the index
// arithmetic of large grids. So a missing buffer or a misspelt size fails to compile, and the 65,535 workgroups a
// dimension may have are nobody else's concern.
//
// Three forms of `run`:
//   items   fn run(item: u32)               one invocation an item
//   rows    fn run(row: u32)                one row of a matrix; columns are walked as
//                                           `for (var c = first(); c < sizes.cols; c += step())`, and rowSum / rowMax
//                                           combine what each walker found. On the "tiled" class a workgroup shares a
//                                           row, on the "serial" class one invocation walks it alone: no barrier.
//   groups  fn run(group: vec3u, lane: u32) one workgroup a tile, with barriers; on matrix units also
//                                           (…, subgroup: u32, subgroupLane: u32)
//
// Sizes reach the WGSL as `sizes.name`. On the "tiled" class they are constants (loops unroll, divisions vanish, bounds
// are provable); on the "serial" class a uniform, so that all shapes share one pipeline, as software adapters take
// seconds to compile one.

import { rowFunctions } from "./kernels/row-functions";

/** Which variants of the kernels to use. */
export interface KernelTarget {
  /** "serial": barrier-free kernels for software adapters; "tiled": workgroups share tiles. */
  kernelClass: "tiled" | "serial";
  /** Whether lanes of a subgroup may exchange values. */
  subgroups: boolean;
  /** Matrix units (tensor cores): subgroup matrices of 16 x 16 x 16, f16 operands and f32 sums, in subgroups of 32. */
  matrixUnits: boolean;
  /** "mixed": matrix products and attention may round their operands to f16; they sum in f32. */
  precision: "f32" | "mixed";
  /** Whether f32 products write their inner loop out, which graphics hardware runs faster and software adapters compile for minutes. */
  writtenOut?: boolean;
  /** Bytes of workgroup memory that a workgroup may take; unset: 32 KiB, twice what WebGPU guarantees. */
  workgroupMemory?: number;
}

type Access = "read" | "write" | "update";

/** How a kernel uses a buffer, and its element type when that is not f32. "update" reads and writes in place. */
export type Binding = Access | `${Access} u32`;

/** The WGSL scalar type of a size. */
export type SizeType = "u32" | "f32";

/** What a kernel is for given sizes on a given target. */
export type KernelSource =
  | ({ form: "items"; items: number; workgroup?: number } & SourceText)
  | ({ form: "rows"; rows: number; workgroup?: number } & SourceText)
  | ({
      form: "groups";
      groups: [number, number, number];
      workgroup: number;
      /** Uses subgroup matrices; `run` then takes the number of the subgroup and the lane in it as well. */
      matrixUnits?: boolean;
    } & SourceText);

interface SourceText {
  wgsl: string;
  /** Types that buffers are bound as, where not their scalar type: `{ a: "vec4f" }`, or "mat2x4f" for eight numbers. */
  vectors?: Record<string, string>;
  /**
   * Buffers that `run` writes through `write_NAME(index, value)` alone. Those bound as `vec4f` or `mat2x4f` can be written rounded
   * to f16 as well, or instead where nothing reads them, without a pass of `packHalves`.
   */
  results?: string[];
  /** Buffers that `run` reads through `read_NAME(index)` alone. Those bound as `vec4f` can be rounded to f16 as well. */
  operands?: string[];
  /** Overrides the kernel's own for this text. */
  specialize?: boolean;
}

/**
 * Buffers that hold numbers rounded to f16, two to a u32 as `packHalves` lays them out: results besides the f32 ones or instead,
 * operands instead.
 */
export type RoundedBuffers = Record<string, "besides" | "instead">;

export interface KernelSpec<B extends string, S extends string, O> {
  name: string;
  buffers: Record<B, Binding>;
  sizes: Record<S, SizeType>;
  /** Constants in the text on both classes when true, a uniform on both when false; unset: by class. */
  specialize?: boolean;
  /** Sizes in which calls differ that share a shader: in a uniform on both classes, read by a function of the size's name. */
  perCall?: NoInfer<S>[];
  /** Does two calls of this kernel: for each buffer and size `NAME0` it has `NAME1` too, behind the first call's buffers. */
  pair?: Kernel;
  /** What repeats an earlier dispatch runs once: where the result is small, or whatever its size. */
  shareRepeats?: "small" | "any size";
  /** Floating-point operations of one dispatch, for estimates. */
  flops?(sizes: Record<NoInfer<S>, number>, options: NoInfer<O>): number;
  /** `options` choose whole variants of the text; buffers that are `rounded` may, but need not. */
  source(sizes: Record<NoInfer<S>, number>, target: KernelTarget, options: O, rounded?: RoundedBuffers): KernelSource;
}

/** A declared kernel, made by `kernel()`: `B` names its buffers, `S` its sizes, `O` is the type of its options. */
export interface Kernel<B extends string = string, S extends string = string, O = undefined>
  extends KernelSpec<B, S, O> {}

/** Declare a kernel. `O` is the type of the options that choose its variants, if it has any. */
export function kernel<B extends string, S extends string, O = undefined>(spec: KernelSpec<B, S, O>): Kernel<B, S, O> {
  return spec;
}

/** A kernel made concrete: what a pipeline and a dispatch need. */
export interface CompiledKernel {
  /** What profiles and errors call it. */
  name: string;
  /** The sizes in words, for profiles. */
  sizes: string;
  /** The whole shader, entry point and bindings included. */
  wgsl: string;
  /** In binding order. */
  access: Access[];
  /** Names of results and operands that can be rounded, by binding. */
  roundable: Map<number, string>;
  /** Which repeats of an earlier dispatch are left out: with small results, or any. */
  shareRepeats: "small" | "any size";
  /** Contents of the uniform with the sizes, absent when they are constants. */
  uniform?: ArrayBuffer;
  /** Workgroups along each axis, at most 65,535. */
  grid: [number, number, number];
}

const MAX_GROUPS = 65535;

/** What buffers are bound as once they are rounded, by what they were bound as before. */
const ROUNDED: Record<string, string> = { vec4f: "vec2u", mat2x4f: "vec4u" };

// Fragments are loaded and multiplied by all subgroups alike, which the compiler cannot see.
const MATRIX_UNITS = `enable f16;
enable subgroups;
enable chromium_experimental_subgroup_matrix;
diagnostic(off, chromium.subgroup_matrix_uniformity);`;

/**
 * Write a kernel's shader for given sizes on a given target. A rounded result takes the binding of the one that it replaces;
 * one that comes besides is bound after all others.
 */
export function compileKernel<O>(
  kernel: Kernel<string, string, O>,
  sizes: Record<string, number>,
  target: KernelTarget,
  options: O,
  rounded: RoundedBuffers = {},
): CompiledKernel {
  const source = kernel.source(sizes, target, options, rounded);
  const constants = source.specialize ?? kernel.specialize ?? target.kernelClass === "tiled";
  const count = source.form === "items" ? source.items : source.form === "rows" ? source.rows : 0;
  const values: SizeValue[] = [
    ...Object.entries(kernel.sizes).map(([name, type]): SizeValue => [name, type, sizes[name]!]),
    ["count", "u32", count],
  ];
  for (const [name, , value] of values) {
    if (!Number.isFinite(value)) throw new Error(`${kernel.name}: size "${name}" must be a number, got ${value}`);
  }
  const perCall = values.filter(([name]) => kernel.perCall?.includes(name));
  const constant = constants ? values.filter((value) => !perCall.includes(value)) : [];
  const uniform = constants ? perCall : values;
  const bindings = bindingsOf(kernel.buffers, source, rounded);
  const byFunction = [...(source.results ?? []), ...(source.operands ?? [])];
  const shared = source.form === "rows" && target.kernelClass === "tiled";
  const workgroup = source.workgroup ?? (shared ? 128 : 64);
  const useSubgroups = shared && target.subgroups;
  const matrixUnits = source.form === "groups" && source.matrixUnits;

  const text = [
    useSubgroups ? "enable subgroups;" : "",
    matrixUnits ? MATRIX_UNITS : "",
    sizesDeclaration(constant, uniform, bindings.length),
    ...perCall.map(([name, type]) => `fn ${name}() -> ${type} { return ${constants ? "perCall" : "sizes"}.${name}; }`),
    ...bindings.map(({ name, access, type }, index) => bindingDeclaration(name, access, type, index)),
    ...(source.results ?? []).map((name) => writeFunction(name, source, rounded[name])),
    ...(source.operands ?? []).map((name) => readFunction(name, source, rounded[name])),
    source.form === "rows" ? rowFunctions({ shared, workgroup, subgroups: useSubgroups }) : "",
    source.wgsl,
    entryPoint(source, workgroup, shared, useSubgroups),
  ];
  return {
    name: kernel.name,
    sizes: Object.keys(kernel.sizes)
      .map((name) => `${name} ${sizes[name]}`)
      .join(", "),
    wgsl: text.filter(Boolean).join("\n"),
    access: bindings.map(({ access }) => access),
    roundable: new Map(
      bindings.flatMap(({ name }, index) =>
        byFunction.includes(name) && ROUNDED[source.vectors?.[name] ?? ""] ? [[index, name] as const] : [],
      ),
    ),
    shareRepeats: kernel.shareRepeats ?? "small",
    uniform: uniform.length > 0 ? packSizes(uniform) : undefined,
    grid: dispatchGrid(source, workgroup, shared),
  };
}

type SizeValue = [name: string, type: SizeType, value: number];

/** Constants as `sizes` and what is in a uniform as `perCall`, or everything in a uniform as `sizes`. */
function sizesDeclaration(constant: SizeValue[], uniform: SizeValue[], binding: number): string {
  const struct = (name: string, values: SizeValue[]) =>
    `struct ${name} { ${values.map(([name, type]) => `${name}: ${type}`).join(", ")} }`;
  const bound = (name: string) => `@group(0) @binding(${binding}) var<uniform> ${name}`;
  if (constant.length === 0) return `${struct("Sizes", uniform)}\n${bound("sizes")}: Sizes;`;
  const literals = constant.map(([, type, value]) => literal(type, value)).join(", ");
  const sizes = `${struct("Sizes", constant)}\nconst sizes = Sizes(${literals});`;
  return uniform.length === 0 ? sizes : `${sizes}\n${struct("PerCall", uniform)}\n${bound("perCall")}: PerCall;`;
}

function literal(type: SizeType, value: number): string {
  return type === "u32" ? `${value}u` : `f32(${value})`;
}

function packSizes(values: SizeValue[]): ArrayBuffer {
  const bytes = new ArrayBuffer(Math.ceil((values.length * 4) / 16) * 16);
  const view = new DataView(bytes);
  values.forEach(([, type, value], index) => {
    if (type === "u32") view.setUint32(index * 4, value, true);
    else view.setFloat32(index * 4, value, true);
  });
  return bytes;
}

interface BoundBuffer {
  name: string;
  access: Access;
  /** WGSL type of an element. */
  type: string;
}

/** The buffers of a kernel in binding order, those that are rounded among them. */
function bindingsOf(
  buffers: Record<string, Binding>,
  { vectors }: KernelSource,
  rounded: RoundedBuffers,
): BoundBuffer[] {
  const halves = (name: string, access: Access): BoundBuffer => ({
    name: `${name}Halves`,
    access,
    type: ROUNDED[vectors![name]!]!,
  });
  const own = Object.entries(buffers).map(([name, binding]): BoundBuffer => {
    const [access, scalar = "f32"] = binding.split(" ") as [Access, string?];
    return rounded[name] === "instead" ? halves(name, access) : { name, access, type: vectors?.[name] ?? scalar };
  });
  return [
    ...own,
    ...Object.keys(rounded).flatMap((name) => (rounded[name] === "besides" ? [halves(name, "write")] : [])),
  ];
}

function bindingDeclaration(name: string, access: Access, type: string, index: number): string {
  const mode = access === "read" ? "read" : "read_write";
  return `@group(0) @binding(${index}) var<storage, ${mode}> ${name}: array<${type}>;`;
}

/** WGSL of `write_NAME`. */
function writeFunction(name: string, { vectors }: KernelSource, rounded?: RoundedBuffers[string]): string {
  const plain = `${name}[at] = value;`;
  const fours = vectors?.[name] === "mat2x4f" ? ["value[0]", "value[1]"] : ["value"];
  const pairs = fours.flatMap((four) => [`pack2x16float(${four}.xy)`, `pack2x16float(${four}.zw)`]);
  const halves = `${name}Halves[at] = vec${pairs.length}u(${pairs.join(", ")});`;
  const body = rounded === undefined ? plain : rounded === "instead" ? halves : `${plain} ${halves}`;
  return `fn write_${name}(at: u32, value: ${vectors?.[name] ?? "f32"}) { ${body} }`;
}

/** WGSL of `read_NAME`. */
function readFunction(name: string, { vectors }: KernelSource, rounded?: RoundedBuffers[string]): string {
  const type = vectors?.[name] ?? "f32";
  const pair = `let pair = ${name}Halves[at]; return vec4f(unpack2x16float(pair.x), unpack2x16float(pair.y));`;
  return `fn read_${name}(at: u32) -> ${type} { ${rounded === "instead" ? pair : `return ${name}[at];`} }`;
}

function entryPoint(source: KernelSource, workgroup: number, shared: boolean, subgroups: boolean): string {
  const matrixUnits = source.form === "groups" && source.matrixUnits;
  const parameters = [
    "@builtin(workgroup_id) group: vec3u",
    "@builtin(num_workgroups) groups: vec3u",
    "@builtin(local_invocation_index) lane: u32",
    ...(subgroups ? ["@builtin(subgroup_size) subgroupLanes: u32"] : []),
    ...(matrixUnits
      ? ["@builtin(subgroup_id) subgroup: u32", "@builtin(subgroup_invocation_id) subgroupLane: u32"]
      : []),
  ].join(", ");
  const own = matrixUnits ? "lane, subgroup, subgroupLane" : "lane";
  const open = `@compute @workgroup_size(${workgroup})\nfn main(${parameters}) {`;
  if (source.form === "groups") {
    const [x, y, z] = source.groups;
    if (Math.max(x, y, z) <= MAX_GROUPS) return `${open}\n  run(group, ${own});\n}`;
    return `${open}
  let flat = group.x + group.y * groups.x;
  if (flat >= ${x * y * z}u) { return; }
  run(vec3u(flat % ${x}u, (flat / ${x}u) % ${y}u, flat / ${x * y}u), ${own});
}`;
  }
  if (shared) {
    return `${open}
  let row = group.x + group.y * groups.x;
  if (row >= sizes.count) { return; }
  laneIndex = lane;${subgroups ? "\n  lanesPerSubgroup = subgroupLanes;" : ""}
  run(row);
}`;
  }
  return `${open}
  let item = (group.x + group.y * groups.x) * ${workgroup}u + lane;
  if (item < sizes.count) { run(item); }
}`;
}

function dispatchGrid(source: KernelSource, workgroup: number, shared: boolean): [number, number, number] {
  if (source.form === "groups") {
    const [x, y, z] = source.groups;
    return Math.max(x, y, z) <= MAX_GROUPS ? source.groups : foldGrid(x * y * z);
  }
  const count = source.form === "items" ? source.items : source.rows;
  return foldGrid(shared ? count : Math.ceil(count / workgroup));
}

/** Spread a number of workgroups over two dimensions of at most 65,535. */
function foldGrid(groups: number): [number, number, number] {
  if (groups <= MAX_GROUPS) return [groups, 1, 1];
  const y = Math.ceil(groups / MAX_GROUPS);
  if (y > MAX_GROUPS) throw new Error(`dispatch: at most ${MAX_GROUPS} x ${MAX_GROUPS} workgroups, got ${groups}`);
  return [Math.ceil(groups / y), y, 1];
}
