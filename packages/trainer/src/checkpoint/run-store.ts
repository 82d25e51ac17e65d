import type { SafetensorsDtype } from "@webmoe/tensor/files";

/** A tensor to be written: its bytes are asked for when their turn comes, so that large models stream. */
export interface TensorEntry {
  /** Its name in the file, another for each. */
  name: string;
  /** The type of its elements. */
  dtype: SafetensorsDtype;
  /** The extent of each axis, the outermost first. */
  shape: readonly number[];
  /** Its bytes, little-endian, as many as type and shape say. */
  data(): Promise<Uint8Array>;
}

/** The tensors of a file, read one at a time. */
export interface TensorReader {
  /** Names of all tensors, in the order of the file. */
  names(): string[];
  /** Undefined for a tensor the file does not have. */
  shape(name: string): readonly number[] | undefined;
  /** Undefined for a tensor the file does not have. */
  dtype(name: string): SafetensorsDtype | undefined;
  /** The bytes of a tensor; an error for one the file does not have. */
  read(name: string): Promise<Uint8Array>;
}

/** What a checkpoint is made of. */
export interface CheckpointParts {
  /** The step that it is written after. */
  step: number;
  /** Plain JSON: the step, the seed, what else the run must agree on; `validationLoss` where there was a validation. */
  state: Record<string, unknown>;
  /** Parameters, and what the router keeps besides. */
  model: TensorEntry[];
  /** Moments, counters and averaged weights. */
  optimizer: TensorEntry[];
  /** Checkpoints that stay, this one among them, besides the one with the best validation; default all. */
  keep?: number;
}

/** A checkpoint that can be read. */
export interface Checkpoint {
  /** The step that it was written after. */
  step: number;
  /** What `CheckpointParts.state` was when it was written. */
  state: Record<string, unknown>;
  /** Parameters, and what the router keeps besides. */
  model: TensorReader;
  /** Moments, counters and averaged weights. */
  optimizer: TensorReader;
}

/** Where a run keeps what it leaves: a folder in Node. */
export interface RunStore {
  /** Add a line to the run's metrics, which may be kept a moment later, and is when the next checkpoint is. */
  appendMetrics(record: Record<string, unknown>): Promise<void>;
  /** Resolves with where the checkpoint is. */
  saveCheckpoint(parts: CheckpointParts): Promise<string>;
  /** The last whole checkpoint; undefined when there is none. */
  latestCheckpoint(): Promise<Checkpoint | undefined>;
}
