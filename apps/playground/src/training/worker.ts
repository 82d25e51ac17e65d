// The worker that trains. It has no storage and may hold a stranger's router: what is kept, the page keeps.

import { byteTokenizer } from "@webmoe/data";
import { checkRouter } from "@webmoe/router/check";
import { DoesNotFitError, type TracedToken } from "@webmoe/trainer";
import { openGpu } from "@webmoe/webgpu";
import { expose, type Remote } from "comlink";
import { CODE, type Configuration } from "../configuration/configuration";
import { knownRouter } from "../configuration/measure";
import { withCauses } from "../router-code/compile-code";
import { visitorRouter } from "../router-code/visitor-router";
import { type Lane, startLane } from "./lane";
import type { Deliver, Keeper, TrainingEvent, TrainingRequest, TrainingWorker, WritingRequest } from "./messages";
import { outbox } from "./outbox";
import { type Pace, pace } from "./pace";
import { workerStore } from "./worker-store";

/** The run or race in progress, or the last one, whose model still writes. */
let current: { lanes: Lane[]; pace: Pace; stop: AbortController } | undefined;
/** Texts are written one after the other: the last one asked for, and when it ends. */
let writing: { stop: AbortController; ended: Promise<void> } | undefined;

const routerOf = (configuration: Configuration) =>
  configuration.router.name === CODE ? visitorRouter() : knownRouter(configuration);

async function start(
  { configurations, text, resume }: TrainingRequest,
  deliver: Deliver,
  keeper: Remote<Keeper> | undefined,
): Promise<"done" | "stopped"> {
  for (const lane of current?.lanes ?? []) lane.close();
  const turns = pace(configurations.length);
  const stop = new AbortController();
  const store = keeper && workerStore(keeper);
  const routers = await Promise.all(configurations.map(routerOf));
  const boxes = configurations.map((_, index) => outbox<TrainingEvent>((events) => deliver(index, events)));
  const lanes = configurations.map((configuration, index) =>
    startLane({
      ...{ configuration, text, index, store, resume },
      router: routers[index]!,
      pace: turns,
      signal: stop.signal,
      post: boxes[index]!.post,
    }),
  );
  current = { lanes, pace: turns, stop };
  try {
    await Promise.all(lanes.map(({ done }) => done));
  } catch (error) {
    if (error instanceof DoesNotFitError) boxes[0]!.post({ kind: "fitting", settings: error.fit.fitting });
    stop.abort();
    for (const lane of lanes) lane.close();
    throw error;
  } finally {
    await store?.flush();
    for (const { flush } of boxes) flush();
  }
  return stop.signal.aborted ? "stopped" : "done";
}

async function write(
  { prompt, ...options }: WritingRequest,
  deliver: (tokens: TracedToken[]) => void,
  signal: AbortSignal,
) {
  const generator = await current?.lanes[0]?.writer();
  if (!generator) throw new Error("write: needs a model, and none is trained yet");
  const box = outbox(deliver);
  for await (const written of generator.trace({ ...options, prompt: byteTokenizer().encode(prompt) })) {
    if (signal.aborted) break;
    box.post(written);
  }
  box.flush();
}

const worker: TrainingWorker = {
  start: start as TrainingWorker["start"],
  pause: () => current?.pace.pause(),
  resume: () => current?.pace.resume(),
  step: () => current?.pace.step(),
  stop() {
    current?.stop.abort();
    current?.pace.wake();
  },
  keep: () => current?.lanes[0]?.keep(),
  async write(request, deliver) {
    writing?.stop.abort();
    const stop = new AbortController();
    const ended = (writing?.ended ?? Promise.resolve())
      .catch(() => {})
      .then(() => write(request, deliver, stop.signal));
    writing = { stop, ended };
    await ended;
  },
  stopWriting: () => writing?.stop.abort(),
  async check() {
    const gpu = await openGpu();
    try {
      const router = await visitorRouter();
      await checkRouter(router, { gpu });
      return router.name;
    } catch (error) {
      throw withCauses(error as Error);
    } finally {
      gpu.close();
    }
  },
};

expose(worker);
// Messages that came before this are lost: the page waits for it.
postMessage({ ready: true });
