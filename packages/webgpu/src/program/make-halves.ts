import type { Gpu } from "../gpu";
import { packHalves } from "../kernels/pack-halves";
import type { noRoom } from "./budget";
import type { Recording, Slice } from "./recording";
import type { prepareSteps } from "./steps";

/** What every page has loaded: handed over, as a file that is imported from here leaves those that it is bundled with. */
interface Workshop {
  Recording: typeof Recording;
  prepareSteps: typeof prepareSteps;
  noRoom: typeof noRoom;
}

/** The numbers of another buffer, rounded to f16. */
export interface Halves {
  /** Two numbers to a u32, as `packHalves` lays them out. */
  readonly buffer: GPUBuffer;
  /** Pack the other buffer as it is: queues the work. */
  refresh(): void;
  /** Free the memory. */
  close(): void;
}

/** Allocate what a buffer of f32 takes in f16, and prepare to pack it. Throws `OutOfMemoryError` where the GPU has no room. */
export async function makeHalves(
  gpu: Gpu,
  of: GPUBuffer,
  label: string,
  { Recording, prepareSteps, noRoom }: Workshop,
): Promise<Halves> {
  gpu.device.pushErrorScope("out-of-memory");
  const buffer = gpu.device.createBuffer({
    label,
    size: of.size / 2,
    usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC,
  });
  const outOfMemory = await gpu.device.popErrorScope();
  if (outOfMemory) throw noRoom(label, buffer.size, outOfMemory);

  const recording = new Recording(gpu.target, gpu.limits);
  const whole = (buffer: GPUBuffer): Slice => ({
    storage: recording.storage("external", buffer.size, label, buffer),
    offset: 0,
    bytes: buffer.size,
  });
  recording.dispatch(packHalves, { x: whole(of), y: whole(buffer) }, { items: buffer.size / 4 }, undefined);
  const { steps, close } = await prepareSteps(gpu, recording.dispatches, ({ buffer }) => buffer!);
  const { pipeline, bindGroup, grid } = steps[0]!;
  return {
    buffer,
    refresh() {
      const encoder = gpu.device.createCommandEncoder({ label });
      const pass = encoder.beginComputePass({ label });
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindGroup);
      pass.dispatchWorkgroups(...grid);
      pass.end();
      gpu.device.queue.submit([encoder.finish()]);
    },
    close() {
      close();
      buffer.destroy();
    },
  };
}
