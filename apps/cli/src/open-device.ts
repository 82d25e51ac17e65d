import type { Gpu } from "@webmoe/webgpu";
import { openGpu } from "@webmoe/webgpu/node";
import type { Config } from "./config/schema";

/** Open the device of a configuration, with its limit of memory. */
export function openDevice({ adapter, memory }: Config): Promise<Gpu> {
  return openGpu({ adapter, memoryBudget: memory.limit && memory.limit * 2 ** 30 });
}
