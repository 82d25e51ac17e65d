// A language model with your own loop in place of the trainer's: npx tsx apps/examples/src/own-training-loop.ts

import { batchAt, byteTokenizer } from "@webmoe/data";
import { languageModel, presets } from "@webmoe/model";
import { adamw, initAdamw } from "@webmoe/nn";
import { recurrentRouter } from "@webmoe/router-recurrent";
import { compile, f32, gradients, key, materialize, release, u32 } from "@webmoe/tensor";
import { openGpu } from "@webmoe/webgpu/node";

const [batch, steps] = [2, 60];
const tokens = byteTokenizer().encode("Whatever is worth doing at all is worth doing well. ".repeat(30));
const model = languageModel(presets.nano.model, recurrentRouter({ dim: 32 }));
const { context } = model.config;

const gpu = await openGpu();
const parameters = await materialize(gpu, model.init(key(1)).parameters);
const state = { parameters, optimizer: await initAdamw(gpu, parameters) };
const inputs = { tokens: u32(batch, context), targets: u32(batch, context), lr: f32() };
const step = await compile(gpu, { state, inputs }, ({ parameters, optimizer }, { lr, ...sequences }) => {
  const { total, loss, load } = model.loss(parameters, sequences, { training: true });
  const { gradNorm } = adamw(parameters, gradients(total, parameters), optimizer, lr);
  return { loss, gradNorm, load };
});
console.log(`${step.stats.dispatches} kernel calls a step`);

for (let i = 1; i <= steps; i++) {
  const lr = 5e-3 * Math.min(1, i / 10) * (1 - i / steps); // your own schedule
  const { outputs } = await step.run({ ...batchAt(tokens, { seed: 1, step: i, batch, context }), lr });
  if (i % 20 > 0) continue; // not waiting lets the device work ahead
  const { loss, gradNorm, load } = await outputs;
  console.log(
    `step ${i}  loss ${loss[0]!.toFixed(3)}  norm ${gradNorm[0]!.toFixed(2)}  load ${[...load[0]!].join(" ")}`,
  );
}
step.close();
release(state);
gpu.close();
