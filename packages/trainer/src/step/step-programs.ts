import type { Model } from "@webmoe/model";
import type { Tensor } from "@webmoe/tensor";
import type { DispatchTime, Gpu, ProgramStats } from "@webmoe/webgpu";
import type { SessionState } from "../session-state";
import type { TrainSettings } from "../settings";
import type { StepParts } from "./step-parts";
import type { StepValues } from "./step-values";

/** The arrays that a model's `inputs` ask for. */
export type HostBatch = Record<string, Uint32Array>;

/** What the programs of a step are compiled for. */
export interface StepSubject {
  gpu: Gpu;
  model: Model;
  settings: TrainSettings;
  /** What they read and change. */
  state: SessionState;
  /** Those of the parameters that learn. */
  learned: SessionState["parameters"];
  parts: StepParts;
  /** Whether steps say what their routers did. */
  routing: boolean;
}

/** The programs that a training step consists of. */
export interface StepPrograms {
  /** Of each, in the order in which a step first runs them. */
  stats: ProgramStats[];
  /** Floating-point operations of one step. */
  flops: number;
  /** What they hold besides the state. */
  sums?: Record<string, unknown>;
  step(batches: HostBatch[], lr: number, step?: number): Promise<{ values: Promise<StepValues> }>;
  profile(batches: HostBatch[], lr: number): Promise<DispatchTime[]>;
  close(): void;
}

/** In place of what routers did, where nobody asks. */
export const NO_ROUTING: { balance: Tensor[]; entropy: Tensor[]; load: Tensor[]; dropped?: Tensor[] } = {
  balance: [],
  entropy: [],
  load: [],
};
