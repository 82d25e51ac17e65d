/** Objects made on a device, and submits to its queue, since counting began. */
export interface ObjectCounts {
  buffers: number;
  bindGroups: number;
  pipelines: number;
  submits: number;
}

/** Count the calls that make objects or submit work, until `stop`, which returns the counts. */
export function countObjects(device: GPUDevice): { stop(): ObjectCounts } {
  const counts: ObjectCounts = { buffers: 0, bindGroups: 0, pipelines: 0, submits: 0 };
  const restore: (() => void)[] = [];
  const watch = <T extends object>(target: T, method: keyof T & string, count: keyof ObjectCounts) => {
    const original = target[method] as (...args: unknown[]) => unknown;
    const counted = (...args: unknown[]) => {
      counts[count]++;
      return original.apply(target, args);
    };
    Object.defineProperty(target, method, { value: counted, configurable: true });
    restore.push(() => {
      delete (target as Record<string, unknown>)[method];
    });
  };
  watch(device, "createBuffer", "buffers");
  watch(device, "createBindGroup", "bindGroups");
  watch(device, "createComputePipeline", "pipelines");
  watch(device, "createComputePipelineAsync", "pipelines");
  watch(device.queue, "submit", "submits");
  return {
    stop() {
      for (const undo of restore) undo();
      return counts;
    },
  };
}
