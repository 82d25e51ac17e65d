export { DeviceLostError, GpuError, OutOfMemoryError } from "./errors";
export { Expression, toExpression } from "./expression";
export { type AdapterDescription, adapterName, type Gpu } from "./gpu";
export { type Binding, type CompiledKernel, compileKernel, type Kernel, type KernelTarget, kernel } from "./kernel";
export * from "./kernels/adamw";
export * from "./kernels/assignment-products";
export * from "./kernels/assignments";
export * from "./kernels/attention";
export * from "./kernels/attention-decode";
export * from "./kernels/attention-delta";
export * from "./kernels/balance";
export { columnSumChunks } from "./kernels/column-sums";
export * from "./kernels/cross-entropy";
export * from "./kernels/draw-token";
export * from "./kernels/elementwise";
export * from "./kernels/embedding";
export * from "./kernels/expert-capacity";
export * from "./kernels/expert-combine";
export * from "./kernels/expert-sort";
export { type GateActivation, type GateOptions, gatedBackward, gatedForward } from "./kernels/gated";
export * from "./kernels/global-norm";
export * from "./kernels/grouped-matmul";
export * from "./kernels/gru";
export * from "./kernels/gru-cell";
export * from "./kernels/loss-scale";
export * from "./kernels/matmul";
export * from "./kernels/momentum";
export * from "./kernels/pack-halves";
export * from "./kernels/random";
export * from "./kernels/reduce";
export * from "./kernels/rms-norm";
export * from "./kernels/rms-norm-gradients";
export * from "./kernels/rope";
export * from "./kernels/softmax";
export * from "./kernels/top-k";
export { type OpenOptions, openDevice, openGpu } from "./open-device";
export { planningGpu } from "./planning-gpu";
export { ArenaShadow } from "./program/arena-shadow";
export { bytesText, checkBudget } from "./program/budget";
export type { DispatchDigest } from "./program/digest";
export { planMemory } from "./program/plan";
export type { DispatchTime } from "./program/profile";
export { compileProgram, type Program, type ProgramOptions, type ProgramStats, type Ticket } from "./program/program";
export {
  ALIGNMENT,
  aligned,
  type Dispatch,
  type Purpose,
  Recording,
  type Slice,
  type Storage,
} from "./program/recording";
export type { Shadow } from "./program/shadow";
