import { adapterName } from "@webmoe/webgpu";
import { openGpu } from "@webmoe/webgpu/node";
import color from "picocolors";
import { bytes } from "../terminal/format";

/** Show the adapter that would be used, what it offers, and which kernels run on it. */
export async function devicesCommand({ adapter, json }: { adapter?: string; json: boolean }): Promise<void> {
  const gpu = await openGpu({ adapter });
  try {
    const { limits, features, target } = gpu;
    const shown = {
      maxBufferSize: limits.maxBufferSize,
      maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
      maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
      maxComputeInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
      maxStorageBuffersPerShaderStage: limits.maxStorageBuffersPerShaderStage,
    };
    const kernels = {
      class: target.kernelClass,
      reductions:
        target.kernelClass === "serial" ? "one invocation a row" : target.subgroups ? "subgroups" : "workgroup memory",
      precision: target.matrixUnits ? "f32, or mixed on matrix units" : "f32",
    };
    if (json) {
      console.log(JSON.stringify({ adapter: gpu.adapter, features, limits: shown, kernels }));
      return;
    }
    const row = (name: string, value: string) => `  ${name.padEnd(36)} ${value}`;
    console.log(
      [
        `${color.bold(adapterName(gpu.adapter))} (${gpu.adapter.software ? "software" : "hardware"}, ${gpu.adapter.vendor})`,
        "",
        color.bold("features"),
        ...features.map((feature) => `  ${feature}`),
        "",
        color.bold("limits"),
        ...Object.entries(shown).map(([name, value]) => row(name, /Size$/.test(name) ? bytes(value) : String(value))),
        "",
        color.bold("kernels"),
        row("class", kernels.class),
        row("reductions", kernels.reductions),
        row("precision", kernels.precision),
      ].join("\n"),
    );
  } finally {
    gpu.close();
  }
}
