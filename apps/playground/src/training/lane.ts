// One run in the worker: the trainer of the command line, its reports as events for the page.

import { type Batch, byteTokenizer, splitTokens, validationBatches } from "@webmoe/data";
import { type LanguageModel, measureModel } from "@webmoe/model";
import type { AnyRouter } from "@webmoe/router";
import { type Generator, openGenerator, type RunStore, type Session, save, train } from "@webmoe/trainer";
import { adapterName, openGpu } from "@webmoe/webgpu";
import type { Configuration } from "../configuration/configuration";
import { modelOf } from "../configuration/measure";
import { deferred } from "./deferred";
import type { CheckpointFiles, TrainingEvent } from "./messages";
import type { Pace } from "./pace";
import { readCheckpoint } from "./read-checkpoint";
import { openRoutingProbe, type RoutingProbe } from "./routing";

/** Steps between looks at how held-out text is routed. */
const LOOK_EVERY = 10;

const PROMPT = "The ";

/** What a run is given. */
export interface LaneOptions {
  configuration: Configuration;
  router: AnyRouter;
  text: Uint8Array;
  /** Its number among those that race. */
  index: number;
  pace: Pace;
  signal: AbortSignal;
  store: RunStore | undefined;
  resume: CheckpointFiles | undefined;
  post(event: TrainingEvent): void;
}

/** A run that goes on, or is done and still has its model on the device. */
export interface Lane {
  /** Resolves when the run is done, its last events posted; the model stays until `close`. */
  readonly done: Promise<void>;
  /** Keep a checkpoint before the next step. */
  keep(): void;
  /** Writes with the run's model; undefined before there is one. */
  writer(): Promise<Generator> | undefined;
  close(): void;
}

/** Begin to train. */
export function startLane(options: LaneOptions): Lane {
  const { configuration, router, text, index, pace, signal, store, resume, post } = options;
  const model = modelOf(configuration, router);
  const tokenizer = byteTokenizer();
  const data = splitTokens(text);
  const released = deferred();
  const finished = deferred();
  let session: Session | undefined;
  let probe: RoutingProbe | undefined;
  let writer: Promise<Generator> | undefined;
  let sampler: Promise<Generator> | undefined;
  let keepAsked = false;
  /** Steps that are done or on the device, and those whose figures are known. */
  let begun = resume?.step ?? 0;
  let reported = begun;

  const open = ({ gpu, state }: Session) => openGenerator(gpu, model, state.parameters, state.buffers);
  const openWriter = () => {
    if (session) writer ??= open(session);
    return writer;
  };

  const sample = async (step: number) => {
    // A generator of its own: the visitor may be writing at the same time.
    sampler ??= open(session!);
    const tokens: number[] = [];
    const options = { tokens: configuration.sample.tokens, temperature: 0.8, seed: configuration.seed };
    const prompt = tokenizer.encode(PROMPT);
    for await (const token of (await sampler).generate({ ...options, prompt })) tokens.push(token);
    post({ kind: "sample", step, prompt: PROMPT, text: tokenizer.decode(tokens) });
  };

  const look = async (step: number) => post({ kind: "routing", step, ...(await probe!.look()) });

  const keep = async () => {
    await save(store!, session!, model, { step: begun, settings: configuration });
    post({ kind: "checkpoint", step: begun });
  };

  const run = async () => {
    const reports = train({
      open: () => openGpu(),
      model,
      settings: configuration,
      data,
      store,
      resume: resume && (await readCheckpoint(resume)),
      signal,
      beforeStep() {
        if (signal.aborted) return undefined;
        if (keepAsked) {
          keepAsked = false;
          // Everything begun is in the queue before what this reads.
          return keep();
        }
        // What a lost device forgot is made up for at once.
        const wait = begun < reported ? undefined : pace.before(index);
        if (!wait) begun++;
        return wait;
      },
    });
    for await (const report of reports) {
      if (report.kind === "ready") {
        session = report.session;
        sampler = undefined;
        writer = undefined;
        probe = await openRoutingProbe(session, model, passage(data.validation, model));
        post({ kind: "ready", ...described(session, model), seconds: report.seconds });
      } else if (report.kind === "step") {
        pace.stepped(index);
        const { step, loss, gradNorm, lr, tokensPerSecond, load, entropy } = report;
        reported = step;
        const seconds = pace.seconds(index);
        post({ kind: "step", step, loss, gradNorm, lr, tokensPerSecond, seconds, load, entropy });
        if (step % LOOK_EVERY === 0 || step === 1) await look(step);
        const { every, tokens } = configuration.sample;
        if (tokens > 0 && every > 0 && step % every === 0 && step < configuration.train.steps) await sample(step);
      } else if (report.kind === "validation") {
        const { step, loss, bitsPerByte } = report;
        post({ kind: "validation", step, loss, bitsPerByte });
      } else if (report.kind === "checkpoint") {
        post({ kind: "checkpoint", step: report.step });
      } else if (report.kind === "device-lost") {
        begun = report.from;
        pace.lost(index);
        post({ kind: "notice", message: lossNotice(report) });
      } else if (report.kind === "warning") {
        post({ kind: "notice", message: `Step ${report.step}: ${report.message}` });
      } else if (report.kind === "done") {
        await look(report.step);
        if (configuration.sample.tokens > 0) await sample(report.step);
        finished.resolve();
        await released.promise;
        probe?.close();
        for (const generator of [sampler, writer]) (await generator)?.close();
      }
    }
  };
  run().catch(finished.reject);

  return {
    done: finished.promise,
    keep() {
      keepAsked = true;
      pace.wake();
    },
    writer: openWriter,
    close: () => released.resolve(),
  };
}

function lossNotice({ step, from }: { step: number; from: number }): string {
  const again = step > from ? `; the steps after ${from} are computed again` : "";
  return `The GPU went away at step ${step}: another was opened, and nothing is lost${again}.`;
}

function described({ gpu }: Session, model: LanguageModel) {
  const { total, active, router } = measureModel(model);
  return {
    adapter: adapterName(gpu.adapter),
    software: gpu.adapter.software,
    parameters: { total, active, router },
    bytes: gpu.memoryUsed,
  };
}

/** Held-out text to look at: the sequences of one small batch. */
function passage(validation: Uint8Array, model: LanguageModel): Batch {
  return validationBatches(validation, { batch: 4, context: model.config.context, batches: 1 })[0]!;
}
