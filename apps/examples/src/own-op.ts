// An op of your own with its gradient, and a program that learns with it: npx tsx apps/examples/src/own-op.ts

import { adamw, initAdamw } from "@webmoe/nn";
import {
  compile,
  constantInit,
  f32,
  gradients,
  map,
  materialize,
  mean,
  readTensor,
  release,
  type Tensor,
} from "@webmoe/tensor";
import { openGpu } from "@webmoe/webgpu/node";

/** A damped wave amplitude * exp(-decay t) cos(pace t): one kernel; its derivative is taken from the formula. */
const wave = (t: Tensor, amplitude: Tensor, decay: Tensor, pace: Tensor) =>
  map("wave", [t, amplitude, decay, pace], (t, amplitude, decay, pace) =>
    amplitude.mul(t.mul(decay).neg().exp()).mul(t.mul(pace).cos()),
  );
const squaredError = (y: Tensor, wanted: Tensor) =>
  mean(map("squaredError", [y, wanted], (y, wanted) => y.sub(wanted).mul(y.sub(wanted))));

const points = 64;
const t = Float32Array.from({ length: points }, (_, i) => i / 16);
const measured = t.map((t) => 1.5 * Math.exp(-0.4 * t) * Math.cos(3 * t));

const gpu = await openGpu();
const parameters = await materialize(gpu, {
  amplitude: constantInit([], 1),
  decay: constantInit([], 0.1),
  pace: constantInit([], 2.6),
});
const state = { parameters, optimizer: await initAdamw(gpu, parameters) };
const inputs = { t: f32(points), measured: f32(points), lr: f32() };
const step = await compile(gpu, { state, inputs }, ({ parameters, optimizer }, { t, measured, lr }) => {
  const { amplitude, decay, pace } = parameters;
  const loss = squaredError(wave(t, amplitude, decay, pace), measured);
  adamw(parameters, gradients(loss, parameters), optimizer, lr);
  return { loss };
});
for (let i = 1; i <= 300; i++) {
  const { loss } = await (await step.run({ t, measured, lr: 0.02 })).outputs;
  if (i % 100 === 0) console.log(`step ${i}  loss ${loss[0]!.toExponential(2)}`);
}
for (const [name, tensor] of Object.entries(parameters)) {
  console.log(`${name} ${(await readTensor(tensor))[0]!.toFixed(3)}`);
}
step.close();
release(state);
gpu.close();
