import { availableParallelism, freemem } from "node:os";
import { compileBeside } from "./compile-beside";
import { GpuError } from "./errors";
import type { Gpu } from "./gpu";
import { type OpenOptions, openDevice, requestDevice } from "./open-device";
import { HARDWARE_PACE, pacedWait, SOFTWARE_PACE } from "./paced-wait";

/** How to open a device through Dawn. */
export interface NodeOpenOptions extends OpenOptions {
  /** Dawn toggles to enable besides the ones the kernels need. */
  toggles?: string[];
}

/** Devices that help to compile, each with two threads, on half of the cores. */
const MOST_HELPERS = 4;

// Dawn's instance dies with the object that `create()` returns, and the process with it: hold it while a device is open.
const instances = new Set<GPU>();

/** Open a device in Node through Dawn (the optional peer `webgpu`). `close()` it, and the process can exit by itself. */
export async function openGpu(options: NodeOpenOptions = {}): Promise<Gpu> {
  const dawn = await import("webgpu").catch((cause: unknown) => {
    throw new GpuError(`openGpu: needs Dawn, which could not be loaded: npm install webgpu@0.6.2 (${reason(cause)})`);
  });
  Object.assign(globalThis, dawn.globals);
  const toggles = ["allow_unsafe_apis", "vulkan_enable_f16_on_nvidia", ...(options.toggles ?? [])];
  const instance = dawn.create([
    `enable-dawn-features=${toggles.join(",")}`,
    "disable-dawn-features=timestamp_quantization",
  ]);
  instances.add(instance);
  try {
    const gpu = await openDevice(instance, options, {
      flopsPerSubmit: Number.POSITIVE_INFINITY,
      // A software adapter takes the machine's own memory and never says that it is used up.
      softwareBudget: 0.8 * freemem(),
      waitFor: (software) => pacedWait(software ? SOFTWARE_PACE : HARDWARE_PACE),
      close: () => instances.delete(instance),
    });
    if (gpu.adapter.software) return gpu; // its driver compiles a shader when it first runs
    const openHelper = async () => (await requestDevice(instance, options)).device;
    const helpers = Math.min(MOST_HELPERS, Math.floor(availableParallelism() / 4));
    return Object.assign(gpu, { makePipeline: compileBeside(gpu.device, openHelper, helpers) });
  } catch (error) {
    instances.delete(instance);
    throw error;
  }
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message.split("\n")[0]! : String(cause);
}
