import type { Gpu, KernelTarget } from "@webmoe/webgpu";
import { type KernelCase, kernelCases } from "./kernel-cases";
import type { Peaks } from "./peaks";
import { type ProfileRow, peaksOf, profileRows } from "./profile-table";
import { timeProgram } from "./time-program";

/** The kernels of one case in one precision. */
export interface KernelResult {
  name: string;
  precision: KernelTarget["precision"];
  kernels: ProfileRow[];
}

/** Time the kernels of every case whose name contains `wanted`, in every precision that makes a difference here. */
export async function* timeKernels(gpu: Gpu, peaks: Peaks | undefined, wanted = ""): AsyncGenerator<KernelResult> {
  const milliseconds = gpu.adapter.software ? 0 : 100;
  for (const { name, kernels, ...program } of kernelCases(gpu.adapter.software)) {
    if (!name.includes(wanted)) continue;
    for (const precision of precisions(gpu, kernels)) {
      const times = await timeProgram(gpu, program, { precision, milliseconds });
      const shown = times.filter(({ kernel }) => kernels.test(kernel));
      yield { name, precision, kernels: profileRows(shown, peaksOf(peaks, precision)) };
    }
  }
}

/** Only products and attention differ in mixed precision, and only where there are matrix units. */
function precisions({ target }: Gpu, kernels: KernelCase["kernels"]): KernelTarget["precision"][] {
  const differs =
    target.matrixUnits && ["matmul", "groupedMatmul", "attentionForward"].some((name) => kernels.test(name));
  return differs ? ["f32", "mixed"] : ["f32"];
}
