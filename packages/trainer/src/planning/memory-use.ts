import { type DeviceTensor, leaves } from "@webmoe/tensor";
import type { ProgramStats } from "@webmoe/webgpu";
import type { SessionState } from "../session-state";

/** What memory on the device is for. */
export type MemoryKind =
  | "parameters"
  | "f16 copies"
  | "averaged weights"
  | "router buffers"
  | "optimizer"
  | "gradients"
  | "activations"
  | "logits"
  | "validation"
  | "inputs and outputs";

/** Bytes of a run on the device, by what they are for. */
export interface MemoryUse {
  /** Kinds that take any, in the order of `MemoryKind`. */
  kinds: {
    /** What the memory is for. */
    kind: MemoryKind;
    /** How much that takes. */
    bytes: number;
  }[];
  /** Bytes of all kinds together. */
  total: number;
}

/** What a session holds. */
interface Held {
  state: SessionState;
  /** With gradient accumulation: what is summed over micro-batches. */
  sums?: unknown;
  /** Of the programs of a step. */
  step: ProgramStats[];
  evaluation: ProgramStats;
}

/** Add up the memory of a session. Gradients of activations count as activations, and those of logits as logits. */
export function memoryUse({ state, sums, step, evaluation }: Held): MemoryUse {
  const inStep = (part: Exclude<keyof ProgramStats["bytes"], "total">) =>
    step.reduce((sum, { bytes }) => sum + bytes[part], 0);
  const bytes: Record<MemoryKind, number> = {
    parameters: bytesOf(state.parameters),
    "f16 copies": copiesOf(state),
    "averaged weights": bytesOf(state.averaged),
    "router buffers": bytesOf(state.buffers),
    optimizer: bytesOf(state.optimizer),
    gradients: bytesOf(sums) + inStep("exclusive"),
    activations: inStep("activations"),
    logits: inStep("logits"),
    validation: evaluation.bytes.total,
    "inputs and outputs": inStep("inputs") + inStep("outputs") + inStep("readback"),
  };
  const kinds = (Object.entries(bytes) as [MemoryKind, number][]).map(([kind, bytes]) => ({ kind, bytes }));
  return { kinds: kinds.filter(({ bytes }) => bytes > 0), total: kinds.reduce((sum, { bytes }) => sum + bytes, 0) };
}

/** Bytes of the arenas that a tree lies in. */
function bytesOf(tree: unknown): number {
  return arenasOf(tree).reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Bytes of the copies in f16 that programs made of arenas. */
function copiesOf(tree: unknown): number {
  return arenasOf(tree).reduce((sum, { shadow }) => sum + (shadow.exists ? shadow.bytes : 0), 0);
}

const arenasOf = (tree: unknown) => [...new Set(leaves<DeviceTensor>(tree).map(([, { arena }]) => arena))];
