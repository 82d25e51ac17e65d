// A short training run for the test that compares a browser with Node: what it computes depends on nothing but the device.

import { adamw, initAdamw } from "@webmoe/nn";
import type { AnyRouter } from "@webmoe/router";
import { compile, f32, gradients, key, materialize, u32 } from "@webmoe/tensor";
import { adapterName, type DispatchDigest, type Gpu, type OpenOptions } from "@webmoe/webgpu";
import { languageModel } from "./language-model";
import { presets } from "./presets";

/** What a run leaves to compare. */
export interface FiftySteps {
  adapter: string;
  features: string[];
  /** Of every step that was not watched; bit for bit, as JSON keeps every digit of a number. */
  losses: Record<number, number>;
  /** Of every kernel of the watched steps. */
  digests: Record<number, DispatchDigest[]>;
}

const BATCH = 1;
const TEXT = "It is not down on any map; true places never are. ".repeat(8);

/** Train `nano` for 50 steps on a device without optional features, and watch some steps kernel by kernel. */
export async function fiftySteps(
  open: (options: OpenOptions) => Promise<Gpu>,
  router: AnyRouter,
  watched: number[],
): Promise<FiftySteps> {
  const gpu = await open({ features: [] });
  const model = languageModel(presets.nano.model, router);
  const { context } = model.config;
  const initial = model.init(key(7));
  const parameters = await materialize(gpu, initial.parameters);
  const state = { parameters, optimizer: await initAdamw(gpu, parameters) };
  const inputs = { tokens: u32(BATCH, context), targets: u32(BATCH, context), lr: f32() };
  const program = await compile(gpu, { state, inputs }, ({ parameters, optimizer }, { lr, ...batch }) => {
    const { total, loss } = model.loss(parameters, batch, { training: true });
    adamw(parameters, gradients(total, parameters), optimizer, lr);
    return { loss };
  });
  const text = Uint32Array.from(TEXT, (character) => character.charCodeAt(0));
  const result: FiftySteps = { adapter: adapterName(gpu.adapter), features: gpu.features, losses: {}, digests: {} };
  for (let step = 1; step <= 50; step++) {
    const window = (from: number) => text.slice(from, from + BATCH * context);
    const values = { tokens: window(step), targets: window(step + 1), lr: 3e-3 };
    if (watched.includes(step)) result.digests[step] = await program.digest(values);
    else result.losses[step] = (await (await program.run(values)).outputs).loss[0]!;
  }
  program.close();
  gpu.close();
  return result;
}
