export { DeviceLostError, GpuError } from "./errors";
export { type AdapterDescription, type Gpu, name as adapterName, type OpenOptions, openDevice, openGpu } from "./gpu";
export { type Binding, type CompiledKernel, compileKernel, type Kernel, type KernelTarget, kernel } from "./kernel";
export { compileProgram, type Program, type ProgramOptions, type ProgramStats, type Ticket } from "./program/program";
export { aligned, ALIGNMENT, type Dispatch, Recording, type Slice, type Storage } from "./program/recording";
export { Expression, toExpression } from "./expression";
export * from "./kernels/elementwise";
export * from "./kernels/softmax";
