export { Expression } from "@webmoe/webgpu";
export {
  type CompiledProgram,
  type CompileOptions,
  compile,
  evaluate,
  type HostArray,
  type InputSpec,
  type ValuesOf,
} from "./compile";
export {
  type Arena,
  allocate,
  arenaRange,
  type DeviceTensor,
  readTensor,
  release,
  type Spec,
  spec,
  writeTensor,
} from "./device-tensor";
export { type GradientOptions, gradients } from "./gradients";
export { constantInit, type Init, initialize, materialize, normal, uniform, valuesInit } from "./init";
export * from "./ops/adamw";
export * from "./ops/assignment-products";
export * from "./ops/assignments";
export * from "./ops/attention";
export * from "./ops/balance";
export * from "./ops/broadcast";
export * from "./ops/copy";
export * from "./ops/cross-entropy";
export * from "./ops/draw-token";
export * from "./ops/dropout";
export * from "./ops/elementwise";
export * from "./ops/embedding";
export * from "./ops/expert-capacity";
export * from "./ops/experts";
export { constant } from "./ops/formulas";
export * from "./ops/gated";
export * from "./ops/gru";
export * from "./ops/gru-cell";
export * from "./ops/halves";
export { map } from "./ops/map";
export * from "./ops/matmul";
export * from "./ops/mean";
export * from "./ops/momentum";
export * from "./ops/noise";
export * from "./ops/project-rows";
export * from "./ops/reduce";
export * from "./ops/rms-norm";
export { ROPE_BASE, type RopeOptions, rope } from "./ops/rope";
export * from "./ops/softmax";
export * from "./ops/sum-to";
export * from "./ops/top-k";
export { packLike } from "./pack";
export { recomputed } from "./recomputed";
export { type Shape, sizeOf } from "./shape";
export {
  type AnyTensor,
  type ArrayOf,
  type Dtype,
  f32,
  type Gradient,
  type GradientOnto,
  type GradientRule,
  place,
  reshape,
  rowRange,
  type SumOverRows,
  stopGradient,
  Tensor,
  type TensorsOf,
  Trace,
  u32,
  withGradient,
  withGradients,
  withoutGradient,
} from "./tensor";
export { fold, type Key, key, normals, uniforms } from "./threefry";
export { isLeaf, LEAF, type Leaf, leaves, type MapLeaves, mapTree, type Tree } from "./tree";
