// What the page and the worker that trains say to each other.

import type { Configuration } from "../configuration";

/** What to train, on which bytes of text. */
export interface TrainingRequest {
  configuration: Configuration;
  text: Uint8Array;
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
    }
  | {
      kind: "step";
      step: number;
      /** Nats a token. */
      loss: number;
      gradNorm: number;
      lr: number;
      tokensPerSecond: number;
      /** Assignments of each expert in each layer. */
      load: number[][];
    }
  | { kind: "validation"; step: number; loss: number; bitsPerByte: number }
  | { kind: "sample"; step: number; prompt: string; text: string };

/** The worker's side; one run at a time. */
export interface TrainingWorker {
  /** Train; resolves with how the run ended, and rejects with what broke it. */
  start(request: TrainingRequest, deliver: (events: TrainingEvent[]) => void): Promise<"done" | "stopped">;
  pause(): void;
  resume(): void;
  /** End the run after the step in progress; it validates and samples once more. */
  stop(): void;
}
