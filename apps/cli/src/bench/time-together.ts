import type { LanguageModel } from "@webmoe/model";
import type { DispatchTime, Gpu } from "@webmoe/webgpu";
import type { Config } from "../config/schema";
import type { RoundRequest } from "./requests";
import { medianTimes, type TimedDispatch } from "./time-program";
import { openTimedSteps, type StepResult, type TimedSteps } from "./time-steps";
import { roundsByTheClock, turnsOf } from "./turns";

/** How long to time configurations that are compared. */
export interface TogetherOptions {
  /** Steps of a stretch; one configuration has one stretch then. Without it rounds of short stretches fill a second each. */
  steps?: number;
  /** Milliseconds of rounds before those that count: an idle GPU takes seconds to reach its clock rate. */
  warmUp: number;
  /** Time every kernel of a step as well. */
  profile: boolean;
  /** Run a round for each of these instead. */
  requests?: AsyncIterable<RoundRequest>;
}

/** Rounds by default: as many that end with the last way as with the first. */
const ROUNDS = 6;

/** Time training steps of several configurations in turns. All are on the device at once. */
export async function timeTogether(
  gpu: Gpu,
  subjects: { model: LanguageModel; config: Config }[],
  { steps, warmUp, profile, requests }: TogetherOptions,
): Promise<(StepResult & { profile?: TimedDispatch[] })[]> {
  const { software } = gpu.adapter;
  const enough = (rounds: number, elapsed: number) => {
    if (steps !== undefined && subjects.length === 1) return rounds >= 1;
    return rounds >= ROUNDS && (software || steps !== undefined || elapsed > 1000 * subjects.length);
  };
  const opened: TimedSteps[] = [];
  try {
    for (const { model, config } of subjects) opened.push(await openTimedSteps(gpu, model, config, steps));
    const round = turnsOf(opened.map(({ stretch }) => stretch));
    const rounds = requests ? await onRequest(round, requests) : await roundsByTheClock(round, { warmUp, enough });
    const profiled = turnsOf(opened.map((each) => each.profile));
    const profiles: DispatchTime[][][] = [];
    while (profile && profiles.length < (software ? 1 : ROUNDS)) profiles.push(await profiled());
    return opened.map((each, index) => ({
      ...each.result(rounds.map((times) => times[index]!)),
      ...(profile && { profile: medianTimes(profiles.map((times) => times[index]!)) }),
    }));
  } finally {
    for (const each of opened) each.close();
  }
}

async function onRequest(round: () => Promise<number[]>, requests: AsyncIterable<RoundRequest>) {
  const rounds: number[][] = [];
  for await (const { counts } of requests) {
    const times = await round();
    if (counts) rounds.push(times);
  }
  if (rounds.length === 0) throw new Error("--paced: needs a line for each round on the standard input, got none");
  return rounds;
}
