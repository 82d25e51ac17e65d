import { fill, type Gpu, randomNormal, randomUniform } from "@webmoe/webgpu";
import { compile } from "./compile";
import { allocate, type DeviceTensor, type Spec, writeTensor } from "./device-tensor";
import type { Shape } from "./shape";
import { type Tensor, u32 } from "./tensor";
import type { Key } from "./threefry";
import { LEAF, leaves, type MapLeaves } from "./tree";

/** A leaf that says how a parameter starts. */
export interface Init extends Spec {
  readonly dtype: "f32";
  /** What the numbers are drawn from, or whether they are given. */
  readonly distribution: "normal" | "uniform" | "constant" | "values";
  /** Standard deviation, half width around zero, or the constant. */
  readonly scale: number;
  /** The random key that decides them; unused where nothing is drawn. */
  readonly key?: Key;
  /** The numbers, where they are given. */
  readonly values?: Float32Array;
}

/** Numbers from a normal distribution with mean 0. */
export function normal(shape: Shape, std: number, key: Key): Init {
  return { [LEAF]: true, dtype: "f32", shape, distribution: "normal", scale: std, key };
}

/** Numbers from [-limit, limit). */
export function uniform(shape: Shape, limit: number, key: Key): Init {
  return { [LEAF]: true, dtype: "f32", shape, distribution: "uniform", scale: limit, key };
}

/** One number everywhere. */
export function constantInit(shape: Shape, value: number): Init {
  return { [LEAF]: true, dtype: "f32", shape, distribution: "constant", scale: value };
}

/** Given numbers, for small tensors. */
export function valuesInit(shape: Shape, values: Float32Array): Init {
  return { [LEAF]: true, dtype: "f32", shape, distribution: "values", scale: 1, values };
}

/** Allocate the parameters that a tree of `Init` describes and fill them on the device (not on one that only plans). */
export async function materialize<T>(gpu: Gpu, tree: T, label = "parameters"): Promise<MapLeaves<T, DeviceTensor>> {
  const parameters = (await allocate(gpu, tree, label)) as MapLeaves<T, DeviceTensor>;
  await initialize(gpu, parameters, tree, label);
  return parameters;
}

/** Fill allocated parameters as a tree of `Init` describes them, on the device (not on one that only plans). */
export async function initialize<T>(
  gpu: Gpu,
  parameters: MapLeaves<T, DeviceTensor>,
  tree: T,
  label = "parameters",
): Promise<void> {
  if (gpu.planning) return;
  const inits = new Map(leaves<Init>(tree));
  const keys = [...inits].filter(([, { key }]) => key);
  const inputs = Object.fromEntries(keys.map(([path]) => [path, u32(2)]));
  const options = { label: `${label}: initial values`, state: parameters, inputs, passing: true };
  const program = await compile(gpu, options, (state, key) => {
    for (const [path, tensor] of leaves<Tensor>(state)) fillTensor(tensor, inits.get(path)!, key[path]);
    return {};
  });
  await (await program.run(Object.fromEntries(keys.map(([path, { key }]) => [path, Uint32Array.from(key!)])))).outputs;
  program.close();
  for (const [path, tensor] of leaves<DeviceTensor>(parameters)) {
    const { values } = inits.get(path)!;
    if (values) writeTensor(tensor, values);
  }
}

function fillTensor(
  { trace, slice, size }: Tensor,
  { distribution, scale }: Init,
  key: Tensor<"u32"> | undefined,
): void {
  const { recording } = trace;
  if (distribution === "constant") {
    recording.dispatch(fill, { y: slice }, { items: size, value: scale }, undefined);
  } else if (distribution === "normal") {
    recording.dispatch(randomNormal, { key: key!.slice, y: slice }, { items: size, deviation: scale }, undefined);
  } else if (distribution === "uniform") {
    recording.dispatch(
      randomUniform,
      { key: key!.slice, y: slice },
      { items: size, low: -scale, high: scale },
      undefined,
    );
  }
}
