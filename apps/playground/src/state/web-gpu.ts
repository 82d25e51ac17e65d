import { signal } from "@preact/signals";
import type { Room } from "../configuration/fit";
import type { Problem } from "./problem";

/** What is known of the place where models are to fit; undefined until the adapter has answered. */
export const room = signal<Room | undefined>(undefined);

/** Why this browser cannot train, and what to do; undefined where nothing is known to be in the way. */
export const missing = signal<Problem | undefined>(missingWebGpu());

function missingWebGpu(): Problem | undefined {
  if ("gpu" in navigator) return undefined;
  if (!isSecureContext) {
    return {
      what: "WebGPU needs a secure page",
      todo: "Browsers offer WebGPU to https:// addresses and to localhost alone: open this page from one of these.",
    };
  }
  return {
    what: "This browser has no WebGPU",
    todo:
      "Open the page in a recent Chrome, Edge, Firefox or Safari. On Linux, Chrome may need " +
      "chrome://flags/#enable-unsafe-webgpu; without a browser, the same model trains in Node.",
  };
}

/** Ask the adapter what it binds. */
export async function askAdapter(): Promise<void> {
  if (missing.value) return;
  const adapter = await navigator.gpu.requestAdapter().catch(() => null);
  if (!adapter) {
    missing.value = {
      what: "WebGPU is there, but no GPU answers",
      todo:
        "Update the graphics driver and turn on hardware acceleration in the browser's settings; chrome://gpu says why " +
        "it is off. Without a browser, the same model trains in Node.",
    };
    return;
  }
  const { deviceMemory } = navigator as { deviceMemory?: number };
  room.value = { binding: adapter.limits.maxStorageBufferBindingSize, memory: deviceMemory };
}
