import { GpuError } from "../errors";
import type { Gpu } from "../gpu";
import type { CompiledKernel } from "../kernel";
import { ALIGNMENT } from "./alignment";
import type { Dispatch, Storage } from "./recording";

/** A dispatch with the objects that encoding it takes. */
export interface Step {
  pipeline: GPUComputePipeline;
  bindGroup: GPUBindGroup;
  grid: [number, number, number];
}

/**
 * Let the pipelines of kernels compile, in parallel and the longest shaders first, as the last to be ready is waited for.
 * Through the device they are shared by all programs with the same shader text.
 */
export function startPipelines(gpu: Gpu, kernels: CompiledKernel[]): void {
  const distinct = new Map(kernels.map((kernel) => [kernel.wgsl, kernel]));
  for (const kernel of [...distinct.values()].sort((a, b) => b.wgsl.length - a.wgsl.length)) {
    pipelineFor(gpu, kernel).catch(() => {}); // whoever waits for it is told
  }
}

/** Wait for the pipeline of every dispatch, and make its bind group. */
export async function prepareSteps(
  gpu: Gpu,
  dispatches: Dispatch[],
  bufferOf: (storage: Storage) => GPUBuffer,
): Promise<{ steps: Step[]; close(): void }> {
  const kernels = dispatches.map(({ kernel }) => kernel);
  startPipelines(gpu, kernels);
  const pipelines = await Promise.all(kernels.map((kernel) => pipelineFor(gpu, kernel)));
  gpu.check();
  const uniforms = packUniforms(gpu, dispatches);
  const steps = dispatches.map(({ kernel, slices }, index) => {
    const pipeline = pipelines[index]!;
    const entries: GPUBindGroupEntry[] = slices.map((slice, binding) => ({
      binding,
      resource: { buffer: bufferOf(slice.storage), offset: slice.offset, size: Math.ceil(slice.bytes / 4) * 4 },
    }));
    if (kernel.uniform) {
      entries.push({ binding: slices.length, resource: { ...uniforms!.ranges[index]!, buffer: uniforms!.buffer } });
    }
    const bindGroup = gpu.device.createBindGroup({
      label: kernel.name,
      layout: pipeline.getBindGroupLayout(0),
      entries,
    });
    return { pipeline, bindGroup, grid: kernel.grid };
  });
  return { steps, close: () => uniforms?.buffer.destroy() };
}

function pipelineFor(gpu: Gpu, kernel: CompiledKernel): Promise<GPUComputePipeline> {
  const known = gpu.pipelines.get(kernel.wgsl);
  if (known) return known;
  const entries: GPUBindGroupLayoutEntry[] = kernel.access.map((access, binding) => ({
    binding,
    visibility: GPUShaderStage.COMPUTE,
    buffer: { type: access === "read" ? "read-only-storage" : "storage" },
  }));
  if (kernel.uniform) {
    entries.push({ binding: entries.length, visibility: GPUShaderStage.COMPUTE, buffer: { type: "uniform" } });
  }
  const { name: label } = kernel;
  const pipeline = gpu
    .makePipeline(async (device) =>
      device.createComputePipelineAsync({
        label,
        layout: device.createPipelineLayout({
          label,
          bindGroupLayouts: [device.createBindGroupLayout({ label, entries })],
        }),
        compute: { module: device.createShaderModule({ label, code: kernel.wgsl }) },
      }),
    )
    .catch((error: Error) => {
      gpu.pipelines.delete(kernel.wgsl);
      throw new GpuError(`${label}: the shader does not compile: ${error.message}`);
    });
  gpu.pipelines.set(kernel.wgsl, pipeline);
  return pipeline;
}

/** The sizes of all dispatches in one uniform buffer. */
function packUniforms(gpu: Gpu, dispatches: Dispatch[]) {
  const offsets = new Map<string, number>();
  const blocks: ArrayBuffer[] = [];
  const ranges = dispatches.map(({ kernel: { uniform } }) => {
    if (!uniform) return undefined;
    const text = new Uint32Array(uniform).join();
    if (!offsets.has(text)) offsets.set(text, (blocks.push(uniform) - 1) * ALIGNMENT);
    return { offset: offsets.get(text)!, size: uniform.byteLength };
  });
  if (blocks.length === 0) return undefined;
  const buffer = gpu.device.createBuffer({
    label: "sizes",
    size: blocks.length * ALIGNMENT,
    usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
  });
  blocks.forEach((block, index) => {
    gpu.device.queue.writeBuffer(buffer, index * ALIGNMENT, block);
  });
  return { buffer, ranges };
}
