// What the page and the worker that trains say to each other.

import type { FittingSettings, TokenRoute, TracedToken } from "@webmoe/trainer";
import type { Configuration } from "../configuration/configuration";

/** A checkpoint as files of a run folder. */
export interface CheckpointFiles {
  step: number;
  state: Record<string, unknown>;
  model: Blob;
  optimizer: Blob;
}

/** What to train, on which bytes of text: one configuration, or two that race. */
export interface TrainingRequest {
  configurations: Configuration[];
  text: Uint8Array;
  /** Go on from here; for one configuration. */
  resume?: CheckpointFiles;
}

/** How passages of the held-out text are routed. */
export interface RoutedPassage {
  /** Tokens of each passage. */
  length: number;
  /** Token ids, which are bytes. */
  tokens: number[];
  /** [layer][token] */
  routes: TokenRoute[][];
}

/** What happens in a run, in order. */
export type TrainingEvent =
  | {
      kind: "ready";
      adapter: string;
      software: boolean;
      /** Seconds until the kernels were compiled. */
      seconds: number;
      parameters: { total: number; active: number; router: number };
      /** Bytes on the device. */
      bytes: number;
    }
  | {
      kind: "step";
      step: number;
      /** Nats a token. */
      loss: number;
      gradNorm: number;
      lr: number;
      tokensPerSecond: number;
      /** Seconds of this run's own steps so far. */
      seconds: number;
      /** Assignments of each expert in each layer, and the mean entropy of the router's probabilities there, in nats. */
      load: number[][];
      entropy: number[];
    }
  | { kind: "validation"; step: number; loss: number; bitsPerByte: number }
  | ({ kind: "routing"; step: number } & RoutingFigures)
  | { kind: "sample"; step: number; prompt: string; text: string }
  | { kind: "checkpoint"; step: number }
  /** A run that does not fit into memory: settings with which it would. */
  | { kind: "fitting"; settings: FittingSettings[] }
  /** Something to say, though the run goes on: a device that was lost and replaced, routing that collapsed. */
  | { kind: "notice"; message: string };

/** What the routing of held-out text shows. */
export interface RoutingFigures {
  passage: RoutedPassage;
  /** Mutual information between the experts of two layers, as a share of what is possible, [layer][layer]. */
  information: number[][];
  /** Experts of each layer that no token went to. */
  dead: number[][];
}

/** The events of a run, and the number of the run among those that race. */
export type Deliver = (lane: number, events: TrainingEvent[]) => void;

/** What to write, and how. */
export interface WritingRequest {
  prompt: string;
  tokens: number;
  temperature: number;
  /** Draw from the most likely tokens that together have this probability. */
  topP: number;
  seed: number;
}

/** A checkpoint to be kept, with the metrics since the last one. */
export interface KeptCheckpoint {
  step: number;
  keep: number;
  model: Uint8Array;
  optimizer: Uint8Array;
  /** The text of state.json. */
  state: string;
}

/** The page's side of keeping a run: the worker has no storage. */
export interface Keeper {
  appendMetrics(lines: string): Promise<void>;
  saveCheckpoint(checkpoint: KeptCheckpoint): Promise<void>;
  latestCheckpoint(): Promise<CheckpointFiles | undefined>;
}

/** The worker's side; one run or race at a time. */
export interface TrainingWorker {
  /** Train; resolves with how the run ended, and rejects with what broke it. The model stays for writing. */
  start(request: TrainingRequest, deliver: Deliver, keeper: Keeper | undefined): Promise<"done" | "stopped">;
  pause(): void;
  resume(): void;
  /** One step of a paused run. */
  step(): void;
  /** End the run after the step in progress; it validates and is kept once more. */
  stop(): void;
  /** Keep a checkpoint before the next step. */
  keep(): void;
  /** Write with the model of the run; resolves when the text is written or stopped. */
  write(request: WritingRequest, deliver: (tokens: TracedToken[]) => void): Promise<void>;
  stopWriting(): void;
  /** Prove that the visitor's router keeps the contract; rejects with the promise it breaks. */
  check(): Promise<string>;
}
