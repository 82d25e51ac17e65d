import type { SafetensorsDtype } from "@webmoe/tensor";

/** A tensor to be written: its bytes are asked for when their turn comes, so that large models stream. */
export interface TensorEntry {
  name: string;
  dtype: SafetensorsDtype;
  shape: readonly number[];
  data(): Promise<Uint8Array>;
}

/** The tensors of a file, read one at a time. */
export interface TensorReader {
  names(): string[];
  /** Undefined for a tensor the file does not have. */
  shape(name: string): readonly number[] | undefined;
  dtype(name: string): SafetensorsDtype | undefined;
  read(name: string): Promise<Uint8Array>;
}

/** What a checkpoint is made of. */
export interface CheckpointParts {
  step: number;
  /** Plain JSON: the step, the seed, what else the run must agree on; `validationLoss` where there was a validation. */
  state: Record<string, unknown>;
  model: TensorEntry[];
  optimizer: TensorEntry[];
  /** Checkpoints that stay, this one among them, besides the one with the best validation; default all. */
  keep?: number;
}

/** A checkpoint that can be read. */
export interface Checkpoint {
  step: number;
  state: Record<string, unknown>;
  model: TensorReader;
  optimizer: TensorReader;
}

/** Where a run keeps what it leaves: a folder in Node. */
export interface RunStore {
  appendMetrics(record: Record<string, unknown>): Promise<void>;
  /** Resolves with where the checkpoint is. */
  saveCheckpoint(parts: CheckpointParts): Promise<string>;
  /** The last whole checkpoint; undefined when there is none. */
  latestCheckpoint(): Promise<Checkpoint | undefined>;
}
