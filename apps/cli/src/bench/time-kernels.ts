import type { Gpu, KernelTarget } from "@webmoe/webgpu";
import { type KernelCase, kernelCases } from "./kernel-cases";
import { type PrecisionPeaks, peakPrograms, peaksOfTimes } from "./peaks";
import { type ProfileRow, profileRows } from "./profile-table";
import { timePrograms } from "./time-program";

/** Kernels that were timed in one precision, in turns. */
export interface KernelResults {
  precision: KernelTarget["precision"];
  /** Measured in the same turns. */
  peaks: PrecisionPeaks;
  cases: { name: string; kernels: ProfileRow[] }[];
}

/** Time the kernels of every case whose name contains `wanted`, in every precision that makes a difference here. */
export async function* timeKernels(gpu: Gpu, wanted = ""): AsyncGenerator<KernelResults> {
  const { software } = gpu.adapter;
  const all = kernelCases(software).filter(({ name }) => name.includes(wanted));
  for (const precision of ["f32", "mixed"] as const) {
    const cases = precision === "f32" ? all : all.filter((each) => differsWhenMixed(gpu, each));
    if (cases.length === 0) continue;
    const [product, copy, ...times] = await timePrograms(gpu, [...peakPrograms(software), ...cases], {
      precision,
      ...(software ? { milliseconds: 0 } : { warmUp: 1500, milliseconds: 1000 + 200 * cases.length }),
    });
    const peaks = peaksOfTimes([product!, copy!]);
    yield {
      precision,
      peaks,
      cases: cases.map(({ name, kernels }, index) => ({
        name,
        kernels: profileRows(
          times[index]!.filter(({ kernel }) => kernels.test(kernel)),
          peaks,
        ),
      })),
    };
  }
}

/** Only products and attention differ in mixed precision, and only where there are matrix units. */
function differsWhenMixed({ target }: Gpu, { kernels }: KernelCase): boolean {
  return target.matrixUnits && ["matmul", "groupedMatmul", "attentionForward"].some((name) => kernels.test(name));
}
