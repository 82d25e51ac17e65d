import type { Checkpoint, RunStore, TensorEntry, TensorReader } from "./run-store";

/** A run kept in memory, for browsers and tests: every metrics record and the last checkpoint. */
export interface MemoryRun extends RunStore {
  /** The records so far, as lines of metrics.jsonl would be. */
  readonly metrics: Record<string, unknown>[];
}

/** Start a run that is gone with the page. */
export function memoryRun(): MemoryRun {
  const metrics: Record<string, unknown>[] = [];
  let latest: Checkpoint | undefined;
  return {
    metrics,
    async appendMetrics(record) {
      metrics.push(record);
    },
    async saveCheckpoint({ step, state, model, optimizer }) {
      // The last one stays until the next is whole.
      latest = { step, state: { ...state, step }, model: await held(model), optimizer: await held(optimizer) };
      return `memory, step ${step}`;
    },
    latestCheckpoint: async () => latest,
  };
}

async function held(entries: TensorEntry[]): Promise<TensorReader> {
  const tensors = new Map<string, Pick<TensorEntry, "dtype" | "shape"> & { bytes: Uint8Array }>();
  for (const { name, dtype, shape, data } of entries)
    tensors.set(name, { dtype, shape, bytes: (await data()).slice() });
  return {
    names: () => [...tensors.keys()],
    shape: (name) => tensors.get(name)?.shape,
    dtype: (name) => tensors.get(name)?.dtype,
    async read(name) {
      const tensor = tensors.get(name);
      if (!tensor) throw new Error(`memory run: the checkpoint has no tensor "${name}"`);
      return tensor.bytes.slice();
    },
  };
}
