// For tests of ops, layers and routers: values and gradients of a function of tensors. `@webmoe/tensor/testing`.

import type { Gpu } from "@webmoe/webgpu";
import { testGpu, testNumbers } from "@webmoe/webgpu/testing";
import { compile, evaluate, type HostArray } from "./compile";
import { gradients } from "./gradients";
import { mul } from "./ops/elementwise";
import { sum } from "./ops/reduce";
import { type Shape, showShape, sizeOf } from "./shape";
import { type AnyTensor, type ArrayOf, type Dtype, f32, type Tensor } from "./tensor";

/** Given values of an input: u32 ones, and f32 ones that are `fixed`, are not differentiated. */
export interface GivenInput<A extends HostArray = HostArray> {
  /** The extent of each axis. */
  shape: Shape;
  /** Its elements, row by row. */
  data: A;
  /** Whether it is not differentiated; u32 ones never are. */
  fixed?: boolean;
}

/** A function's inputs: given values, or a shape for random ones. */
type Inputs = readonly (Shape | GivenInput)[];

/** The tensors that stand for inputs. */
type TensorsFor<I extends Inputs> = { [K in keyof I]: I[K] extends GivenInput<Uint32Array> ? Tensor<"u32"> : Tensor };

/** Where `checkGradient` looks, and how closely. */
export interface GradientCheck {
  /** Random inputs lie between these; default -1 and 1. */
  low?: number;
  /** The upper end of random inputs; default 1. */
  high?: number;
  /** Half the distance of the two points of a difference; default 1e-2. */
  step?: number;
  /** Largest error, relative to the larger of 1 and the gradient; default 2e-3. */
  tolerance?: number;
  /** The device to compute on; by default one that all tests share. */
  gpu?: Gpu;
}

/**
 * Compare the gradients of `op` with central differences at a random point: `checkGradient(softmax, [[3, 5]])`. The result
 * is contracted with a fixed random cotangent, on the host in double precision. Throws at the first element that differs.
 */
export async function checkGradient<const I extends Inputs>(
  op: (...x: TensorsFor<I>) => Tensor,
  inputs: I,
  { low = -1, high = 1, step = 1e-2, tolerance = 2e-3, gpu }: GradientCheck = {},
): Promise<void> {
  const device = gpu ?? (await testGpu());
  const points = inputs.map((input, index): GivenInput => {
    if ("data" in input) return input;
    const unit = testNumbers(sizeOf(input), 17 + 31 * index);
    return { shape: input, data: unit.map((value) => low + ((value + 1) / 2) * (high - low)) };
  });
  const free = points.map(({ data, fixed }) => !fixed && data instanceof Float32Array);
  const values = Object.fromEntries(points.map(({ data }, index) => [`x${index}`, data]));
  const specs = Object.fromEntries(
    points.map(({ shape, data }, index) => {
      const dtype = data instanceof Uint32Array ? ("u32" as const) : ("f32" as const);
      return [`x${index}`, { shape, dtype }];
    }),
  );
  const listed = (handles: Record<string, AnyTensor>) =>
    points.map((_, index) => handles[`x${index}`]!) as unknown as TensorsFor<I>;

  let shape: Shape = [];
  const forward = await compile(device, { label: "checkGradient", inputs: specs }, (_, handles) => {
    const y = op(...listed(handles));
    shape = y.shape;
    return y;
  });
  const cotangent = testNumbers(sizeOf(shape), 5);
  const contracted = async (changed: Record<string, HostArray>) => {
    const y = await (await forward.run({ ...values, ...changed })).outputs;
    return y.reduce((total, value, i) => total + value * cotangent[i]!, 0);
  };

  const actual = await evaluate(
    device,
    {
      ...Object.fromEntries(points.map((point, index) => [`x${index}`, point])),
      cotangent: { shape, data: cotangent },
    } as Record<string, GivenInput>,
    (handles) => {
      const x = listed(handles);
      const loss = sum(mul(op(...x), handles.cotangent as Tensor));
      return gradients(
        loss,
        [...x].map((tensor, index) => (free[index] ? tensor : undefined)),
      );
    },
  );

  try {
    for (const [index, { data, shape }] of points.entries()) {
      if (!free[index]) continue;
      const computed = actual[index] as HostArray;
      const differences = await Promise.all(
        Array.from(data, async (value, i) => {
          const at = async (offset: number) => {
            const moved = Float32Array.from(data);
            moved[i] = value + offset;
            return { x: moved[i], y: await contracted({ [`x${index}`]: moved }) };
          };
          const [above, below] = [await at(step), await at(-step)];
          return (above.y - below.y) / (above.x - below.x);
        }),
      );
      differences.forEach((expected, i) => {
        const error = Math.abs(computed[i]! - expected) / Math.max(1, Math.abs(expected));
        if (error <= tolerance) return;
        throw new Error(
          `checkGradient: input ${index} ${showShape(shape)}, element ${i}: ` +
            `differences give ${expected}, gradients ${computed[i]}`,
        );
      });
    }
  } finally {
    forward.close();
  }
}

/** The values of `op` at given inputs. */
export async function valuesOf<const I extends readonly GivenInput[], D extends Dtype>(
  op: (...x: TensorsFor<I>) => Tensor<D>,
  inputs: I,
  gpu?: Gpu,
): Promise<ArrayOf<D>> {
  const named = Object.fromEntries(inputs.map((input, index) => [`x${index}`, input]));
  const { y } = await evaluate(gpu ?? (await testGpu()), named, (handles: Record<string, AnyTensor>) => ({
    y: op(...(inputs.map((_, index) => handles[`x${index}`]!) as unknown as TensorsFor<I>)),
  }));
  return y as ArrayOf<D>;
}

/** An input of random numbers in [-1, 1). */
export function random(shape: Shape, seed = 1): GivenInput<Float32Array> {
  return { shape, data: testNumbers(sizeOf(shape), seed) };
}

/** |actual - expected| / |expected|, over a whole tensor. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  let difference = 0;
  let size = 0;
  for (let i = 0; i < expected.length; i++) {
    difference += (actual[i]! - expected[i]!) ** 2;
    size += expected[i]! ** 2;
  }
  return Math.sqrt(difference / size);
}

/** How far what a program computes in mixed precision is from what it computes in f32, by output: `relativeError` of each. */
export async function errorsOfMixed(
  inputs: Record<string, GivenInput<Float32Array>>,
  body: (inputs: Record<string, Tensor>) => Record<string, Tensor>,
): Promise<[name: string, error: number][]> {
  const gpu = await testGpu();
  const specs = Object.fromEntries(Object.entries(inputs).map(([name, { shape }]) => [name, f32(...shape)]));
  const data = Object.fromEntries(Object.entries(inputs).map(([name, { data }]) => [name, data]));
  const outputsIn = async (precision: "f32" | "mixed") => {
    const program = await compile(gpu, { label: "errorsOfMixed", inputs: specs, precision }, (_, tensors) =>
      body(tensors as Record<string, Tensor>),
    );
    const outputs = await (await program.run(data)).outputs;
    program.close();
    return outputs;
  };
  const exact = await outputsIn("f32");
  return Object.entries(await outputsIn("mixed")).map(([name, values]) => [name, relativeError(values, exact[name]!)]);
}
