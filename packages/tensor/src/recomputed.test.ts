import { testGpu } from "@webmoe/webgpu/testing";
import { expect, test } from "vitest";
import { compile } from "./compile";
import { gradients } from "./gradients";
import { add, mul } from "./ops/elementwise";
import { matmul } from "./ops/matmul";
import { sum } from "./ops/reduce";
import { softmax } from "./ops/softmax";
import { recomputed } from "./recomputed";
import { f32, reshape, type Tensor } from "./tensor";
import { random } from "./testing";

// Results past what programs share, so that the second pass is really computed.
const [rows, cols] = [600, 128];
const blocks = 8;

/** Loss and gradients of blocks that hand on two streams and a side loss, and the bytes of their activations. */
async function run(wrap: <T>(inputs: unknown, body: () => T) => T, withWeights = true) {
  const inputs = { x: f32(rows, cols), w: f32(cols, cols) };
  const program = await compile(await testGpu(), { inputs }, (_, { x, w }) => {
    let stream = { a: x, b: x };
    const losses: Tensor[] = [];
    for (let block = 0; block < blocks; block++) {
      const { a, b } = stream;
      const out = wrap({ a, b, w }, () => {
        const layer = (x: Tensor) => softmax(matmul(x, w));
        const hidden = layer(layer(layer(a)));
        return { a: add(a, mul(hidden, b)), b: softmax(b), loss: reshape(sum(mul(hidden, hidden)), []) };
      });
      stream = { a: out.a, b: out.b };
      losses.push(out.loss);
    }
    const loss = add(...losses, reshape(sum(mul(stream.a, stream.b)), []));
    return { loss, ...gradients(loss, { x, ...(withWeights && { w }) }) };
  });
  const values = { x: random([rows, cols]).data, w: random([cols, cols], 2).data };
  const outputs = await (await program.run(values)).outputs;
  program.close();
  return { outputs, bytes: program.stats.bytes.activations };
}

test("values and gradients are the same to the last bit", async () => {
  const kept = await run((_, body) => body());
  expect((await run(recomputed)).outputs).toEqual(kept.outputs);
  expect([...(kept.outputs.w as Float32Array)].every((value) => Number.isFinite(value) && value !== 0)).toBe(true);
});

test("what is inside takes memory for one block at a time", async () => {
  // Without the gradients of the shared weights, a part from every layer, which are kept until they are summed.
  const kept = await run((_, body) => body(), false);
  expect((await run(recomputed, false)).bytes).toBeLessThan(0.6 * kept.bytes);
});
