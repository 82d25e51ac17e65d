// One invocation an element of the result, or on the "tiled" class four neighbouring ones where rows allow it: it loads its
// elements of every input, runs the formula, and stores. An input may be smaller than the result and repeats along the
// axes it lacks; such an input is described by its strides over the result's axes, 0 where it repeats, after neighbouring
// axes that all inputs treat alike have been merged.

import { type Expression, floatLiteral, writeExpressions } from "../expression";
import { type Binding, type Kernel, type KernelSource, kernel } from "../kernel";
import { overItems, wide } from "./wide";

/** How one input maps to the result: its extents aligned to the result's axes, and its element type. */
export interface ElementwiseInput {
  /** Padded with 1 to the rank of the result. */
  shape: number[];
  /** The type of its elements; u32 arrives as f32. */
  dtype: "f32" | "u32";
}

/** A kernel for formulas over broadcast inputs, with the sizes to run it with. Buffers `a0, a1, ...` in, `y0, y1, ...` out. */
export interface ElementwiseKernel {
  /** The formula written as a kernel. */
  kernel: Kernel<string, string>;
  /** What to dispatch it with. */
  sizes: Record<string, number>;
}

/** y_j[i] = formula_j(a_0[i], a_1[i], ...) for every element i of `shape`. u32 inputs arrive converted to f32. */
export function elementwise(
  name: string,
  shape: number[],
  inputs: ElementwiseInput[],
  formulas: Expression[],
): ElementwiseKernel {
  const { extents, strides } = mergeAxes(shape, inputs);
  const count = shape.reduce((product, extent) => product * extent, 1);
  const sizes: Record<string, number> = { items: count };
  const indexes = inputs.map((_, input) => indexOf(input, extents, strides[input]!, sizes));
  const buffers: Record<string, Binding> = {};
  inputs.forEach(({ dtype }, input) => {
    buffers[`a${input}`] = dtype === "u32" ? "read u32" : "read";
  });
  formulas.forEach((_, output) => {
    buffers[`y${output}`] = "write";
  });
  const types = Object.fromEntries(Object.keys(sizes).map((size) => [size, "u32" as "u32" | "f32"]));
  const broadcasts = Object.keys(sizes).length > 1;
  // Without index arithmetic constants gain nothing: all shapes share a pipeline, and formulas that differ in a number.
  const numbers = broadcasts ? [] : numbersOf(formulas);
  numbers.forEach((value, index) => {
    sizes[`number${index}`] = value;
    types[`number${index}`] = "f32";
  });
  const parts = { inputs, formulas, indexes, repeats: strides.map((own) => own.at(-1) === 0), broadcasts };
  return {
    kernel: kernel({
      name,
      buffers,
      sizes: types,
      ...(broadcasts ? {} : { specialize: false }),
      source: (_, { kernelClass }) =>
        kernelClass === "tiled" && extents.at(-1)! % 4 === 0 ? fourAtOnce(count, parts) : oneAtOnce(count, parts),
    }),
    sizes,
  };
}

interface Parts {
  inputs: ElementwiseInput[];
  formulas: Expression[];
  /** WGSL for the place in each input of element `i` of the result. */
  indexes: string[];
  /** Whether an input is the same along the last axis. */
  repeats: boolean[];
  /** Whether index arithmetic keeps sizes and numbers in the text. */
  broadcasts: boolean;
}

/** The numbers in formulas, in the order in which they are written. */
function numbersOf(formulas: Expression[]): number[] {
  const numbers: number[] = [];
  writeExpressions(formulas, [], (value) => {
    numbers.push(value);
    return floatLiteral(value);
  });
  return numbers;
}

function oneAtOnce(items: number, parts: Parts): KernelSource {
  const { inputs, indexes } = parts;
  const loads = inputs.map(({ dtype }, k) => `  let x${k} = ${asFloat(dtype, `a${k}[${indexes[k]}]`)};`);
  return {
    form: "items",
    items,
    wgsl: ["fn run(i: u32) {", ...loads, ...computed(parts, "[i]"), "}"].join("\n"),
  };
}

/** All four lie in one row: an input is four neighbours there, or one number for all. */
function fourAtOnce(items: number, parts: Parts): KernelSource {
  const { inputs, formulas, indexes, repeats } = parts;
  const vectors: Record<string, string> = {};
  formulas.forEach((_, output) => {
    vectors[`y${output}`] = "vec4f";
  });
  const loads = inputs.map(({ dtype }, k) => {
    if (repeats[k]) return `  let v${k} = vec4f(${asFloat(dtype, `a${k}[${indexes[k]}]`)});`;
    vectors[`a${k}`] = dtype === "u32" ? "vec4u" : "vec4f";
    const index = indexes[k] === "i" ? "quad" : `(${indexes[k]}) / 4u`;
    return `  let v${k} = ${dtype === "u32" ? `vec4f(a${k}[${index}])` : `a${k}[${index}]`};`;
  });
  const lanes = ["x", "y", "z", "w"].flatMap((lane) => [
    "  {",
    ...inputs.map((_, k) => `  let x${k} = v${k}.${lane};`),
    ...computed(parts, `_.${lane}`),
    "  }",
  ]);
  const results = formulas.map((_, output) => `  var y${output}_ = vec4f();`);
  const stores = formulas.map((_, output) => `  y${output}[quad] = y${output}_;`);
  const head = ["fn run(quad: u32) {", "  let i = quad * 4u;"];
  const wgsl = [...head, ...loads, ...results, ...lanes, ...stores, "}"].join("\n");
  return { form: "items", items: items / 4, wgsl, vectors };
}

/** Statements that compute the formulas of `x0, x1, ...` and store them. */
function computed({ formulas, inputs, broadcasts }: Parts, place: string): string[] {
  let written = 0;
  const { statements, names } = writeExpressions(
    formulas,
    inputs.map((_, k) => `x${k}`),
    broadcasts ? floatLiteral : () => `sizes.number${written++}`,
  );
  return [statements, ...names.map((result, output) => `  y${output}${place} = ${result};`)].filter(Boolean);
}

function asFloat(dtype: ElementwiseInput["dtype"], value: string): string {
  return dtype === "u32" ? `f32(${value})` : value;
}

function indexOf(input: number, extents: number[], strides: number[], sizes: Record<string, number>): string {
  if (strides.every((stride) => stride === 0)) return "0u";
  if (strides.length === 1) return "i";
  const terms: string[] = [];
  let inner = 1;
  for (let axis = extents.length - 1; axis >= 0; axis--) {
    if (strides[axis] !== 0) {
      sizes[`inner${axis}`] = inner;
      sizes[`extent${axis}`] = extents[axis]!;
      sizes[`stride${input}_${axis}`] = strides[axis]!;
      terms.push(`((i / sizes.inner${axis}) % sizes.extent${axis}) * sizes.stride${input}_${axis}`);
    }
    inner *= extents[axis]!;
  }
  const dense = strides.every((stride, axis) => stride === extents.slice(axis + 1).reduce((a, b) => a * b, 1));
  return dense ? "i" : terms.join(" + ");
}

/** Strides of every input over the result's axes, with axes merged where all inputs run through them in one go. */
function mergeAxes(shape: number[], inputs: ElementwiseInput[]): { extents: number[]; strides: number[][] } {
  const extents: number[] = [];
  const strides: number[][] = inputs.map(() => []);
  const running = inputs.map(() => 1);
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const extent = shape[axis]!;
    if (extent === 1) continue;
    const here = inputs.map((input, k) => {
      const own = input.shape[axis]!;
      const stride = own === 1 ? 0 : running[k]!;
      running[k]! *= own;
      return stride;
    });
    const last = extents[0];
    const mergeable = last !== undefined && here.every((stride, k) => stride === strides[k]![0]! * last);
    if (mergeable) {
      extents[0] = last * extent;
    } else {
      extents.unshift(extent);
      here.forEach((stride, k) => {
        strides[k]!.unshift(stride);
      });
    }
  }
  if (extents.length === 0) return { extents: [1], strides: inputs.map(() => [0]) };
  return { extents, strides };
}

/** y[i] = value, for any number of elements. */
export const fill = kernel({
  name: "fill",
  buffers: { y: "write" },
  sizes: { items: "u32", value: "f32" },
  specialize: false,
  source: ({ items }, target) => {
    const { lanes, alias, vectors } = wide(target, items, ["y"]);
    return {
      form: "items",
      items: items / lanes,
      vectors,
      wgsl: `${alias}\nfn run(i: u32) { y[i] = Wide() + sizes.value; }`,
    };
  },
});

/** y[i] = x[i], bit for bit. */
export const copy = kernel({
  name: "copy",
  buffers: { x: "read u32", y: "write u32" },
  sizes: { items: "u32" },
  specialize: false,
  source: ({ items }) => ({ form: "items", items, wgsl: "fn run(i: u32) { y[i] = x[i]; }" }),
});

/** y[offset + i] = x[i], bit for bit */
export const copyTo = kernel({
  name: "copyTo",
  buffers: { x: "read u32", y: "update u32" },
  sizes: { items: "u32", offset: "u32" },
  specialize: false,
  source: ({ items }) => ({
    form: "items",
    items,
    wgsl: "fn run(i: u32) { y[sizes.offset + i] = x[i]; }",
  }),
});

/** y[i] = i / each */
export const repeatIndex = kernel({
  name: "repeatIndex",
  buffers: { y: "write u32" },
  sizes: { items: "u32", each: "u32" },
  specialize: false,
  source: ({ items }) => ({
    form: "items",
    items,
    wgsl: "fn run(i: u32) { y[i] = i / sizes.each; }",
  }),
});

/** y[i] += x[i] */
export const accumulate = kernel({
  name: "accumulate",
  buffers: { x: "read", y: "update" },
  sizes: { items: "u32" },
  specialize: false,
  source: ({ items }, target) => ({
    ...overItems(target, items, ["x", "y"]),
    wgsl: "fn run(i: u32) { y[i] += x[i]; }",
  }),
});
