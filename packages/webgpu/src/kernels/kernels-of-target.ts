// Shaders that only some devices run are loaded when one of those is opened: those on matrix units, which browsers have behind a
// flag alone, and attention and products on adapters that are software. A page with an ordinary GPU does without a sixth of all code.

import { GpuError } from "../errors";
import type { KernelTarget } from "../kernel";

/** Modules of kernels on matrix units. */
export interface MatrixKernels {
  attention: typeof import("./attention-matrix");
  gruBackward: typeof import("./gru-matrix-backward");
  gruForward: typeof import("./gru-matrix-forward");
  matmul: typeof import("./matmul-matrix");
}

/** Modules of kernels of the serial class alone. */
export interface SerialKernels {
  attention: typeof import("./attention-serial");
  matmul: typeof import("./matmul-serial");
}

let matrix: MatrixKernels | undefined;
let serial: SerialKernels | undefined;

/** Load what programs for a target are made of, before anything is recorded for it. */
export async function loadKernels({ kernelClass, matrixUnits }: KernelTarget): Promise<void> {
  if (kernelClass === "serial") {
    const [attention, matmul] = await Promise.all([import("./attention-serial"), import("./matmul-serial")]);
    serial = { attention, matmul };
  }
  if (!matrixUnits) return;
  const [attention, gruBackward, gruForward, matmul] = await Promise.all([
    import("./attention-matrix"),
    import("./gru-matrix-backward"),
    import("./gru-matrix-forward"),
    import("./matmul-matrix"),
  ]);
  matrix = { attention, gruBackward, gruForward, matmul };
}

/** In place of `loadKernels`: the modules themselves. */
export function provideKernels(modules: { matrix: MatrixKernels; serial: SerialKernels }): void {
  matrix = modules.matrix;
  serial = modules.serial;
}

/** The kernels on matrix units. */
export function matrixKernels(): MatrixKernels {
  return matrix ?? missing("on matrix units");
}

/** The kernels of the serial class that other devices do without. */
export function serialKernels(): SerialKernels {
  return serial ?? missing("of the serial class");
}

function missing(which: string): never {
  throw new GpuError(`kernels: those ${which} are not loaded: open a device for them with openGpu`);
}
