import { DeviceLostError, GpuError } from "./errors";
import { type AdapterDescription, adapterName, type Gpu } from "./gpu";
import type { KernelTarget } from "./kernel";
import { loadKernels } from "./kernels/kernels-of-target";
import { matmul } from "./kernels/matmul";
import { hasAmpleMemory } from "./kernels/matrix-shape";
import { compileProgram } from "./program/program";
import { Recording } from "./program/recording";

/** How to open a device. */
export interface OpenOptions {
  /** Accept only an adapter whose description contains this text (case-insensitive), or one of the two kinds. */
  adapter?: "hardware" | "software" | (string & {});
  /** Bytes that programs and state may take together; unset, in Node, 80 % of the free memory on a software adapter. */
  memoryBudget?: number;
  /** Use subgroup operations where the adapter has them. Default true. */
  subgroups?: boolean;
  /** Features to use where the adapter has them; default: all that kernels can use. Two devices with one list run the same kernels. */
  features?: string[];
  /** "least": no more memory, bindings and invocations than every WebGPU device has, as some phones; default: all that the adapter has. */
  limits?: "least";
  /** Which class of kernels to use; by default "serial" on software adapters, else "tiled". */
  kernelClass?: KernelTarget["kernelClass"];
  /** Is told in one line what of the adapter is not used because it fails. Default `console.warn`. */
  warn?(message: string): void;
}

/** A combination of types and sizes that subgroup matrices come in; not yet in the types of WebGPU. */
interface SubgroupMatrixConfig {
  componentType: string;
  resultComponentType: string;
  M: number;
  N: number;
  K: number;
}

const WANTED_FEATURES = ["shader-f16", "subgroups", "timestamp-query", "chromium-experimental-subgroup-matrix"];

/** Open a device in a browser. In Node use `openGpu` of `@webmoe/webgpu/node`. */
export async function openGpu(options: OpenOptions = {}): Promise<Gpu> {
  const gpu = (globalThis as { navigator?: { gpu?: GPU } }).navigator?.gpu;
  if (!gpu) {
    throw new GpuError(
      "openGpu: needs WebGPU: use a recent Chrome, Edge, Firefox or Safari, over https or on localhost " +
        "(in Node import openGpu from @webmoe/webgpu/node)",
    );
  }
  return openDevice(gpu, options, { flopsPerSubmit: 2e10 });
}

/** Open a device of a given `GPU` object with the adapter's own limits and every feature the kernels can use. */
export async function openDevice(
  source: GPU,
  options: OpenOptions,
  host: {
    flopsPerSubmit: number;
    softwareBudget?: number;
    waitFor?: (software: boolean) => Gpu["waitFor"];
    close?: () => void;
  },
): Promise<Gpu> {
  const { adapter, device, requiredFeatures } = await requestDevice(source, options);
  const description = describe(adapter);

  let failure: Error | undefined;
  let closed = false;
  device.onuncapturederror = ({ error }) => {
    failure ??= new GpuError(`WebGPU reported an error: ${error.message.trim()}`);
  };
  const lost = new Promise<DeviceLostError>((resolve) => {
    device.lost.then(({ reason, message }) => {
      if (closed) return;
      failure = new DeviceLostError(reason ?? "unknown", message);
      resolve(failure as DeviceLostError);
    });
  });

  const workgroupMemory = device.limits.maxComputeWorkgroupStorageSize;
  const gpu: Gpu = {
    device,
    adapter: description,
    features: requiredFeatures.slice().sort(),
    limits: device.limits,
    target: {
      kernelClass: options.kernelClass ?? (description.software ? "serial" : "tiled"),
      subgroups: (options.subgroups ?? true) && requiredFeatures.includes("subgroups" as GPUFeatureName),
      matrixUnits:
        (options.subgroups ?? true) && hasMatrixUnits(adapter, requiredFeatures) && hasAmpleMemory({ workgroupMemory }),
      precision: "f32",
      writtenOut: !description.software,
      workgroupMemory,
    },
    memoryBudget:
      options.memoryBudget ?? (description.software ? host.softwareBudget : undefined) ?? Number.POSITIVE_INFINITY,
    memoryUsed: 0,
    flopsPerSubmit: host.flopsPerSubmit,
    pipelines: new Map(),
    makePipeline: (make) => make(device),
    lost,
    waitFor: host.waitFor?.(description.software) ?? ((work) => work),
    check() {
      if (closed) throw new GpuError("the device is closed: open another one");
      if (failure) throw failure;
    },
    close() {
      if (closed) return;
      closed = true;
      device.destroy();
      host.close?.();
    },
  };
  await loadKernels(gpu.target);
  if (!gpu.target.matrixUnits) return gpu;
  const { testedTarget } = await import("./self-test");
  const workshop = { matmul, compileProgram, Recording };
  const target = await testedTarget(gpu, adapterName(description), options.warn ?? console.warn, workshop);
  return Object.assign(gpu, { target });
}

/** A device of the adapter that the options choose, and the features that it was opened with. */
export async function requestDevice(source: GPU, options: OpenOptions) {
  const adapter = await findAdapter(source, options);
  const wanted = WANTED_FEATURES.filter((name) => options.features?.includes(name) ?? true);
  const requiredFeatures = wanted.filter((name) => adapter.features.has(name)) as GPUFeatureName[];
  const requiredLimits = options.limits === "least" ? {} : ownLimits(adapter);
  const device = await adapter.requestDevice({ requiredFeatures, requiredLimits });
  device.label = "webmoe";
  return { adapter, device, requiredFeatures };
}

async function findAdapter(source: GPU, { adapter: wanted }: OpenOptions): Promise<GPUAdapter> {
  const attempts: GPURequestAdapterOptions[] =
    wanted === "software" ? [{ forceFallbackAdapter: true }, {}] : [{ powerPreference: "high-performance" }, {}];
  const seen: string[] = [];
  for (const attempt of attempts) {
    const adapter = await source.requestAdapter(attempt);
    if (!adapter) continue;
    const found = describe(adapter);
    if (matches(found, wanted)) return adapter;
    seen.push(adapterName(found));
  }
  if (seen.length > 0) {
    throw new GpuError(`openGpu: no WebGPU adapter matches "${wanted}", found ${[...new Set(seen)].join(", ")}`);
  }
  throw new GpuError(
    "openGpu: no WebGPU adapter: install a Vulkan driver (Debian: mesa-vulkan-drivers 25 or later, " +
      "on Debian 12 from bookworm-backports)",
  );
}

function hasMatrixUnits(adapter: GPUAdapter, opened: string[]): boolean {
  const info = adapter.info as GPUAdapterInfo & { subgroupMatrixConfigs?: SubgroupMatrixConfig[] };
  const features = ["shader-f16", "subgroups", "chromium-experimental-subgroup-matrix"];
  return (
    features.every((name) => opened.includes(name)) &&
    info.subgroupMinSize === 32 &&
    info.subgroupMaxSize === 32 &&
    (info.subgroupMatrixConfigs ?? []).some(
      ({ componentType, resultComponentType, M, N, K }) =>
        componentType === "f16" && resultComponentType === "f32" && M === 16 && N === 16 && K === 16,
    )
  );
}

function matches(found: AdapterDescription, wanted: OpenOptions["adapter"]): boolean {
  if (!wanted) return true;
  if (wanted === "hardware") return !found.software;
  if (wanted === "software") return found.software;
  return adapterName(found).toLowerCase().includes(wanted.toLowerCase());
}

function describe(adapter: GPUAdapter): AdapterDescription {
  const { vendor, architecture, description, device } = adapter.info;
  const text = `${vendor} ${architecture} ${description} ${device}`.toLowerCase();
  const software = adapter.info.isFallbackAdapter === true || /swiftshader|llvmpipe|lavapipe|basic render/.test(text);
  return {
    vendor,
    architecture,
    device,
    description: description || (software ? device : ""),
    software,
  };
}

function ownLimits(adapter: GPUAdapter): Record<string, number> {
  const limits: Record<string, number> = {};
  for (const key in adapter.limits) {
    const value = adapter.limits[key as keyof GPUSupportedLimits];
    if (typeof value === "number") limits[key] = value;
  }
  return limits;
}
