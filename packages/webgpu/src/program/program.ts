import { GpuError } from "../errors";
import type { Gpu } from "../gpu";
import { aligned } from "./alignment";
import { checkBudget, noRoom } from "./budget";
import type { DispatchDigest } from "./digest";
import { gatherOutputs } from "./gather-outputs";
import { type Plan, planMemory } from "./plan";
import type { DispatchTime } from "./profile";
import { ReadbackRing, readbackLayout } from "./readback";
import type { Dispatch, Recording, Slice, Storage } from "./recording";
import { prepareSteps, type Step, startPipelines } from "./steps";

/** What a program is, in numbers. Bytes are those of buffers. */
export interface ProgramStats {
  /** Kernel calls of one run, without those that run once as their results stay the same. */
  dispatches: number;
  /** Queue submits of one run. */
  submits: number;
  /** Copies that bring the outputs of one run to the host. */
  copies: number;
  /** Different shader modules. */
  pipelines: number;
  /** Floating-point operations of one run, as kernels estimate them. */
  flops: number;
  /** Memory of the program itself, without state. */
  bytes: Plan["bytes"] & {
    /** Buffers that outputs have for themselves. */
    outputs: number;
    /** The block that a run uploads. */
    inputs: number;
    /** Staging buffers of the outputs. */
    readback: number;
    /** The sum of the others. */
    total: number;
  };
  /** Runs that were queued so far. */
  runs: number;
  /** Milliseconds the host took to encode and submit all of them. */
  encodeMs: number;
  /** Objects made since `compileProgram` returned; stays zero. */
  created: {
    /** Buffers made since. */
    buffers: number;
    /** Bind groups made since. */
    bindGroups: number;
    /** Pipelines made since. */
    pipelines: number;
  };
}

/** What a run gives at once; the values follow. */
export interface Ticket {
  /** The bytes of the outputs of this run, in the order they were declared; rejects when the device failed. */
  readonly outputs: Promise<ArrayBuffer[]>;
}

/** A list of dispatches with everything they need made once, to be run any number of times. */
export interface Program {
  /** How many dispatches, bytes, pipelines and FLOPs a run has. */
  readonly stats: ProgramStats;
  /** Upload `inputs` (the whole input block) and queue the work. Resolves when a readback slot was free. */
  run(inputs?: ArrayBuffer): Promise<Ticket>;
  /** Run once with a timestamp around every dispatch, in their order. Changes the state as a run does. */
  profile(inputs?: ArrayBuffer): Promise<DispatchTime[]>;
  /** Run once, dispatch by dispatch, and hash what each writes; `firstDifference` of `@webmoe/webgpu/testing` compares two of these. Changes the state as a run does. */
  digest(inputs?: ArrayBuffer): Promise<DispatchDigest[]>;
  /** Free the program's buffers; external ones stay. */
  close(): void;
}

/** What `compileProgram` needs besides the recording. */
export interface ProgramOptions {
  /** What errors and buffers call the program. */
  label: string;
  /** The storage that `run` uploads into. */
  inputs?: Storage;
  /** Ranges copied back to the host after each run. */
  outputs?: Slice[];
  /** Steps the host may be ahead; default 2. */
  slots?: number;
  /** Bytes by label that the budget's error lists besides the program's own. */
  state?: Record<string, number>;
  /** Runs once while others compile, and is closed: what it takes, which should be little, is not held against the budget. */
  passing?: boolean;
  /** Whether the program may be handed over before its shaders are compiled, for which its first run then waits. */
  early?: boolean;
}

/** Plan the memory of a recording, check it against the budget, and make every object that running it needs. */
export async function compileProgram(gpu: Gpu, recording: Recording, options: ProgramOptions): Promise<Program> {
  gpu.check();
  const { label, inputs } = options;
  const outputs = gatherOutputs(recording, options.outputs ?? [], label);
  const plan = planMemory(recording, new Set(outputs.map(({ storage }) => storage)));
  const readback = readbackLayout(outputs);
  const own = plan.exclusive.filter((exclusive) => outputs.some(({ storage }) => storage === exclusive));
  const gathered = own.reduce((sum, { bytes }) => sum + bytes, 0);
  const bytes = {
    ...plan.bytes,
    exclusive: plan.bytes.exclusive - gathered,
    outputs: gathered,
    inputs: inputs ? aligned(inputs.bytes) : 0,
    readback: readback.bytes * (options.slots ?? 2),
    total: 0,
  };
  bytes.total = bytes.activations + bytes.logits + bytes.exclusive + bytes.outputs + bytes.inputs + bytes.readback;
  const held = options.passing ? 0 : bytes.total;
  const missing = plan.shadows.read.filter((shadow) => !shadow.exists);
  const copies = missing.reduce((sum, shadow) => sum + shadow.bytes, 0);
  checkBudget(gpu, label, held + copies, {
    ...options.state,
    ...bytes,
    total: 0,
    "f16 copies of weights": copies,
  });
  // Before anything is waited for, so that programs that compile side by side share one budget.
  gpu.memoryUsed += held;
  const all = [...plan.constants, ...plan.dispatches];
  const kernels = all.map(({ kernel }) => kernel);
  if (!gpu.planning) startPipelines(gpu, kernels);
  await Promise.all(plan.shadows.read.map((shadow) => shadow.make())).catch((error) => {
    gpu.memoryUsed -= held;
    throw error;
  });
  const parts = splitByFlops(plan.dispatches, gpu.flopsPerSubmit);
  const stats: ProgramStats = {
    dispatches: plan.dispatches.length,
    submits: Math.max(1, parts.length),
    copies: readback.copies,
    pipelines: new Set(kernels.map(({ wgsl }) => wgsl)).size,
    flops: plan.dispatches.reduce((total, { flops }) => total + flops, 0),
    bytes,
    runs: 0,
    encodeMs: 0,
    created: { buffers: 0, bindGroups: 0, pipelines: 0 },
  };
  if (gpu.planning) {
    gpu.planning.set(label, kernels);
    return plannedProgram(gpu, label, stats);
  }

  gpu.device.pushErrorScope("out-of-memory");
  const buffers = allocate(gpu, plan, inputs, label);
  const ring = outputs.length > 0 ? new ReadbackRing(gpu, readback.bytes, options.slots ?? 2, label) : undefined;
  const outOfMemory = await gpu.device.popErrorScope();
  if (outOfMemory) {
    gpu.memoryUsed -= held;
    throw noRoom(label, bytes.total, outOfMemory);
  }

  const prepared = prepareSteps(gpu, all, buffers.bufferOf);
  prepared.catch(() => {}); // whoever runs the program is told
  const inputBuffer = inputs && buffers.bufferOf(inputs);

  /** Whatever runs the dispatches queues this before. */
  const upload = (data?: ArrayBuffer) => {
    if (inputBuffer && data) gpu.device.queue.writeBuffer(inputBuffer, 0, data);
    for (const shadow of plan.shadows.read) shadow.refresh();
    for (const shadow of plan.shadows.outdated) shadow.outdate();
  };

  /** Queue a range of steps, and what `after` adds. */
  const submit = (steps: Step[], from: number, to: number, after?: false | ((encoder: GPUCommandEncoder) => void)) => {
    const encoder = gpu.device.createCommandEncoder({ label });
    const pass = encoder.beginComputePass({ label });
    for (let i = from; i < to; i++) {
      const { pipeline, bindGroup, grid } = steps[i]!;
      if (i === from || pipeline !== steps[i - 1]!.pipeline) pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindGroup);
      pass.dispatchWorkgroups(grid[0], grid[1], grid[2]);
    }
    pass.end();
    if (after) after(encoder);
    gpu.device.queue.submit([encoder.finish()]);
  };

  let steps: Step[] | undefined;
  /** The steps of a run, after what stays the same was queued. */
  const ready = async (): Promise<Step[]> => {
    const made = await prepared;
    const count = plan.constants.length;
    if (!steps && count > 0) submit(made.steps, 0, count);
    steps ??= made.steps.slice(count);
    return steps;
  };
  if (!options.early) await ready();

  return {
    stats,
    async run(data) {
      gpu.check();
      const steps = await ready();
      const slot = await ring?.take();
      gpu.check();
      const start = performance.now();
      upload(data);
      parts.forEach(([from, to], index) => {
        const isLast = index === parts.length - 1;
        submit(steps, from, to, isLast && slot && ((encoder) => readback.copy(encoder, buffers.bufferOf, slot.buffer)));
      });
      stats.encodeMs += performance.now() - start;
      stats.runs++;
      const read = slot ? slot.read() : gpu.device.queue.onSubmittedWorkDone().then(() => new ArrayBuffer(0));
      const values = read.then((block) => {
        gpu.check();
        return readback.cut(block);
      });
      values.catch(() => {}); // a caller that never looks at the outputs must not crash the process
      return { outputs: values };
    },
    async profile(data) {
      gpu.check();
      if (!gpu.features.includes("timestamp-query")) {
        throw new GpuError("profile: needs the feature timestamp-query, which this adapter does not have");
      }
      const steps = await ready();
      upload(data);
      const { timeDispatches } = await import("./profile");
      return timeDispatches(gpu, plan.dispatches, steps);
    },
    async digest(data) {
      gpu.check();
      const steps = await ready();
      upload(data);
      const { digestDispatches } = await import("./digest");
      return digestDispatches(gpu, plan.dispatches, steps, buffers.bufferOf);
    },
    close() {
      buffers.destroy();
      prepared.then((made) => made.close()).catch(() => {});
      ring?.close();
      gpu.memoryUsed -= held;
    },
  };
}

/** What a program would be, on a device that allocates nothing. */
function plannedProgram(gpu: Gpu, label: string, stats: ProgramStats): Program {
  const refuse = () => Promise.reject(new GpuError(`${label}: a planning device runs nothing: open a real one`));
  return {
    stats,
    run: refuse,
    profile: refuse,
    digest: refuse,
    close() {
      gpu.memoryUsed -= stats.bytes.total;
    },
  };
}

interface Allocation {
  bufferOf(storage: Storage): GPUBuffer;
  destroy(): void;
}

function allocate(gpu: Gpu, plan: Plan, inputs: Storage | undefined, label: string): Allocation {
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  const create = (name: string, size: number) =>
    gpu.device.createBuffer({ label: `${label}: ${name}`, size: aligned(size), usage });
  const slots = plan.slots.map((bytes, index) => create(`activations ${index}`, bytes));
  const own = new Map(plan.exclusive.map((storage) => [storage.id, create(storage.label, storage.bytes)]));
  if (inputs) own.set(inputs.id, create("inputs", inputs.bytes));
  return {
    bufferOf(storage) {
      const slot = plan.slotOf.get(storage.id);
      if (storage.kind === "shadow") return storage.shadow!.buffer;
      const buffer = storage.buffer ?? own.get(storage.id) ?? (slot === undefined ? undefined : slots[slot]);
      if (!buffer) throw new GpuError(`${label}: "${storage.label}" is read, but no kernel wrote it`);
      return buffer;
    },
    destroy() {
      for (const buffer of [...slots, ...own.values()]) buffer.destroy();
    },
  };
}

/** Ranges of dispatches that are submitted together; one range unless the work exceeds what a submit may hold. */
function splitByFlops(dispatches: Dispatch[], limit: number): [number, number][] {
  const parts: [number, number][] = [];
  let start = 0;
  let flops = 0;
  dispatches.forEach((dispatch, index) => {
    if (flops > 0 && flops + dispatch.flops > limit) {
      parts.push([start, index]);
      start = index;
      flops = 0;
    }
    flops += dispatch.flops;
  });
  parts.push([start, dispatches.length]);
  return parts;
}
