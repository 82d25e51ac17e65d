import type { DeviceLostError } from "./errors";
import type { CompiledKernel, KernelTarget } from "./kernel";

/** Makes a pipeline on a device. */
export type MakePipeline = (device: GPUDevice) => Promise<GPUComputePipeline>;

/** What an adapter says about itself. */
export interface AdapterDescription {
  /** Who made it, such as "nvidia"; empty where the browser does not tell. */
  vendor: string;
  /** The family of its chips, such as "hopper"; empty where unknown. */
  architecture: string;
  /** The model, as far as the browser tells. */
  device: string;
  /** In Node the driver and its version. */
  description: string;
  /** True for CPU implementations such as lavapipe and SwiftShader. */
  software: boolean;
}

/** An open WebGPU device with everything the programs on it share. */
export interface Gpu {
  /** The WebGPU device; whatever is made with it goes with `close`. */
  readonly device: GPUDevice;
  /** What the adapter says about itself. */
  readonly adapter: AdapterDescription;
  /** Sorted names of the features that the device was opened with. */
  readonly features: string[];
  /** The largest buffers, bindings and workgroups of the device. */
  readonly limits: GPUSupportedLimits;
  /** Where nothing is allocated and nothing runs: the kernels of the programs that were planned, by label; see `planningGpu`. */
  readonly planning?: Map<string, CompiledKernel[]>;
  /** Which variants of the kernels run here. */
  readonly target: KernelTarget;
  /** Bytes that programs and state may take together; Infinity when no budget is set. */
  readonly memoryBudget: number;
  /** Bytes that live state, arenas and programs hold. */
  memoryUsed: number;
  /** Work above this many floating-point operations is submitted in parts, because of browsers' watchdogs. */
  readonly flopsPerSubmit: number;
  /** Pipelines by shader text: programs on one device share them. */
  readonly pipelines: Map<string, Promise<GPUComputePipeline>>;
  /** Make a pipeline on the device by `make`, which a host may call with other devices first, as their drivers keep what they compile. */
  makePipeline(make: MakePipeline): Promise<GPUComputePipeline>;
  /** Resolves when the device is lost for another reason than `close()`. */
  readonly lost: Promise<DeviceLostError>;
  /** Wait for work on the device as its host does best. */
  waitFor<T>(work: Promise<T>): Promise<T>;
  /** Throw the first error that the device reported outside any call, or its loss. */
  check(): void;
  /** Destroy the device and all that is on it. */
  close(): void;
}

/** One line that names an adapter to a person. */
export function adapterName({ vendor, architecture, device, description, software }: AdapterDescription): string {
  const model = device || [vendor, architecture].filter(Boolean).join(" ");
  // The description of a software adapter says all; browsers keep it to themselves.
  const parts = software && description ? [description] : [model, description];
  return parts.filter(Boolean).join(", ") || "unnamed adapter";
}
