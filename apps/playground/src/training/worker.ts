// The worker that trains: the same trainer as in Node, its reports handed to the page in small batches.

import { byteTokenizer, splitTokens } from "@webmoe/data";
import { languageModel, measureModel, presets } from "@webmoe/model";
import { routerNamed } from "@webmoe/routers";
import { type Generator, openGenerator, presetSettings, type Session, train } from "@webmoe/trainer";
import { adapterName, openGpu } from "@webmoe/webgpu";
import { expose } from "comlink";
import { type Configuration, preset } from "../configuration";
import type { TrainingEvent, TrainingRequest, TrainingWorker } from "./messages";
import { outbox } from "./outbox";

/** Steps between samples of text, and how much they write. */
const SAMPLE_EVERY = 100;
const SAMPLE = { prompt: "The ", tokens: 240, temperature: 0.8 };

const tokenizer = byteTokenizer();

/** The run in progress. */
interface Controls {
  stop: AbortController;
  /** Resolves when a pause ends. */
  paused?: Promise<void>;
  resume?: () => void;
}

let controls: Controls | undefined;

function makeModel({ router, experts, topK }: Configuration) {
  const { model, routerDim } = presets[preset];
  const named = routerNamed(router)!;
  const moe = { ...model.moe, experts, topK };
  return languageModel(
    { ...model, moe: named.layers?.(moe, {}) ?? moe },
    named.make(router === "recurrent" ? { dim: routerDim } : {}),
  );
}

async function start(
  { configuration, text }: TrainingRequest,
  deliver: (events: TrainingEvent[]) => void,
): Promise<"done" | "stopped"> {
  const run: Controls = { stop: new AbortController() };
  controls = run;
  const { steps, lr, seed } = configuration;
  const base = presetSettings(preset);
  const settings = {
    ...base,
    seed,
    train: { steps },
    optimizer: { ...base.optimizer, lr },
    validation: { ...base.validation, every: 50 },
  };
  const model = makeModel(configuration);
  const box = outbox(deliver);
  let session: Session | undefined;
  let writer: Generator | undefined;

  const sample = async (step: number) => {
    const { parameters, buffers } = session!.state;
    writer ??= await openGenerator(session!.gpu, model, parameters, buffers);
    const tokens: number[] = [];
    const options = { ...SAMPLE, prompt: tokenizer.encode(SAMPLE.prompt), seed };
    for await (const token of writer.generate(options)) tokens.push(token);
    box.post({ kind: "sample", step, prompt: SAMPLE.prompt, text: tokenizer.decode(tokens) });
  };

  try {
    const reports = train({
      open: () => openGpu(),
      model,
      settings,
      data: splitTokens(text),
      signal: run.stop.signal,
      beforeStep: () => run.paused,
    });
    for await (const report of reports) {
      if (report.kind === "ready") {
        session = report.session;
        const { adapter } = session.gpu;
        const { total, active, router } = measureModel(model);
        box.post({
          kind: "ready",
          adapter: adapterName(adapter),
          software: adapter.software,
          seconds: report.seconds,
          parameters: { total, active, router },
        });
      } else if (report.kind === "step") {
        const { step, loss, gradNorm, lr, tokensPerSecond, load } = report;
        box.post({ kind: "step", step, loss, gradNorm, lr, tokensPerSecond, load });
        if (step % SAMPLE_EVERY === 0 && step < steps) await sample(step);
      } else if (report.kind === "validation") {
        const { step, loss, bitsPerByte } = report;
        box.post({ kind: "validation", step, loss, bitsPerByte });
      } else if (report.kind === "done") {
        await sample(report.step);
        writer?.close();
      }
    }
  } finally {
    box.flush();
    controls = undefined;
  }
  return run.stop.signal.aborted ? "stopped" : "done";
}

const worker: TrainingWorker = {
  start,
  pause() {
    if (!controls || controls.paused) return;
    const run = controls;
    run.paused = new Promise((resolve) => {
      run.resume = () => {
        run.paused = undefined;
        resolve();
      };
    });
  },
  resume() {
    controls?.resume?.();
  },
  stop() {
    controls?.stop.abort();
    controls?.resume?.();
  },
};

expose(worker);
