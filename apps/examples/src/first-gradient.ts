// The gradient of a function, by the GPU: npx tsx apps/examples/src/first-gradient.ts

import { evaluate, gradients, mul, sum } from "@webmoe/tensor";
import { openGpu } from "@webmoe/webgpu/node";

const gpu = await openGpu();
const x = { shape: [3], data: new Float32Array([1, 2, 3]) };
const { y, dx } = await evaluate(gpu, { x }, ({ x }) => {
  const y = sum(mul(x, mul(x, x))); // x^3 of every element, summed
  return { y, dx: gradients(y, { x }).x };
});
console.log(`sum of x^3 = ${y[0]}`);
console.log(`its gradient 3 x^2 = ${[...dx].join(" ")}`);
gpu.close();
