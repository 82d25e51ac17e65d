import { compile, type DeviceTensor, type Init, materialize, release, rowRange, type Tensor } from "@webmoe/tensor";
import type { DispatchTime, Gpu, KernelTarget } from "@webmoe/webgpu";
import { median } from "../statistics";
import { roundsByTheClock, turnsOf } from "./turns";

/** A computation to be timed kernel by kernel: what it starts from, and what it computes. */
export interface TimedProgram<Name extends string = string> {
  state: Record<Name, Init>;
  /** Returns what has to be computed. */
  body(state: Record<Name, Tensor>): Tensor[];
}

/** What a dispatch took in every round, of which `microseconds` is the median. */
export interface TimedDispatch extends DispatchTime {
  rounds: number[];
}

/** How long to time programs. */
export interface TimingOptions {
  precision: KernelTarget["precision"];
  /** Of rounds before those that count: an idle GPU takes seconds to reach its clock rate. */
  warmUp?: number;
  /** Of all rounds; there are at least three. */
  milliseconds: number;
}

/** Time every dispatch of every program; the programs are compiled first, then run in turns. */
export async function timePrograms(
  gpu: Gpu,
  programs: TimedProgram[],
  { precision, warmUp = 0, milliseconds }: TimingOptions,
): Promise<TimedDispatch[][]> {
  const opened: Awaited<ReturnType<typeof openProgram>>[] = [];
  try {
    for (const program of programs) opened.push(await openProgram(gpu, program, precision));
    const round = turnsOf(opened.map(({ profile }) => profile));
    const enough = (rounds: number, elapsed: number) => rounds >= 3 && elapsed >= milliseconds;
    const rounds = await roundsByTheClock(round, { warmUp, enough });
    return programs.map((_, index) => medianTimes(rounds.map((round) => round[index]!)));
  } finally {
    for (const { close } of opened) close();
  }
}

/** Dispatches of one program as they are in the middle of several runs. */
export function medianTimes(runs: DispatchTime[][]): TimedDispatch[] {
  return runs[0]!.map((dispatch, index) => {
    const rounds = runs.map((run) => run[index]!.microseconds);
    return { ...dispatch, microseconds: median(rounds), rounds };
  });
}

async function openProgram(gpu: Gpu, { state, body }: TimedProgram, precision: KernelTarget["precision"]) {
  const tensors: Record<string, DeviceTensor> = {};
  // Each in a buffer of its own, so that a kernel may read one and write another.
  for (const [name, init] of Object.entries(state)) tensors[name] = await materialize(gpu, init, name);
  const program = await compile(gpu, { label: "timed", state: tensors, precision }, (handles) =>
    // One row is read back, so that everything is computed and little is copied.
    body(handles as Record<string, Tensor>).map((result) => rowRange(result, 0, 1)),
  );
  return {
    profile: () => program.profile({}),
    close() {
      program.close();
      release(tensors);
    },
  };
}
