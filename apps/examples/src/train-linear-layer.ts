// Fit y = W x to measurements, with AdamW: npx tsx apps/examples/src/train-linear-layer.ts

import { adamw, initAdamw, linear, linearWeight } from "@webmoe/nn";
import {
  compile,
  f32,
  gradients,
  key,
  materialize,
  mean,
  mul,
  normals,
  readTensor,
  release,
  sub,
} from "@webmoe/tensor";
import { openGpu } from "@webmoe/webgpu/node";

const rows = 32;
const x = normals(key(1), rows * 2); // [rows, 2]
const y = Float32Array.from({ length: rows }, (_, row) => 2 * x[2 * row]! - 0.5 * x[2 * row + 1]!); // [rows, 1]

const gpu = await openGpu();
const parameters = await materialize(gpu, { weight: linearWeight([1, 2], key(2)) });
const state = { parameters, optimizer: await initAdamw(gpu, parameters) };
const inputs = { x: f32(rows, 2), y: f32(rows, 1), lr: f32() };
// The body is called once; what it records runs at every step, in one submit.
const step = await compile(gpu, { state, inputs }, ({ parameters, optimizer }, { x, y, lr }) => {
  const error = sub(linear(x, parameters.weight), y);
  const loss = mean(mul(error, error));
  adamw(parameters, gradients(loss, parameters), optimizer, lr, { weightDecay: 0 });
  return { loss };
});
for (let i = 1; i <= 120; i++) {
  const { outputs } = await step.run({ x, y, lr: 0.05 });
  if (i % 40 === 0) console.log(`step ${i}  loss ${(await outputs).loss[0]!.toExponential(1)}`);
}
console.log(`weight ${[...(await readTensor(parameters.weight))].map((w) => w.toFixed(2)).join(" ")}`);
step.close();
release(state);
gpu.close();
