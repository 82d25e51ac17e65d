import { inspectModel } from "@webmoe/inspect";
import { languageModel } from "@webmoe/model";
import { routerNamed, routerNames } from "@webmoe/routers";
import { key, materialize, release } from "@webmoe/tensor";
import { testGpu } from "@webmoe/webgpu/testing";
import { expect, test } from "vitest";

const [sequences, context] = [2, 8];
const tokens = Uint32Array.from({ length: sequences * context }, (_, t) => (t * t * 7) % 20);
const batch = { tokens, targets: tokens };

test.each([...routerNames, "recurrent+xmoe"])("%s can be inspected", { timeout: 120_000 }, async (name) => {
  const { make, layers } = routerNamed(name)!;
  const moe = { experts: 4, topK: 2, hidden: 8, balanceLoss: 0.01, zLoss: 0 };
  const config = { vocab: 20, dim: 8, layers: 2, heads: 2, context, moe: layers?.(moe, {}) ?? moe };
  const model = languageModel(config, make({}));
  const initial = model.init(key(1));
  const gpu = await testGpu();
  const parameters = await materialize(gpu, initial.parameters);
  const buffers = await materialize(gpu, initial.buffers, "buffers");
  const options = { batches: [batch], sequences, textOf: String, permutations: 5 };
  const { inspection } = await inspectModel(gpu, { model, parameters, buffers }, options);
  release(parameters);
  if (buffers) release(buffers);
  const numbers = JSON.stringify(
    inspection.layers.map(({ entropy, outerBalance, load }) => [entropy, outerBalance, load]),
  );
  expect(numbers).not.toContain("null"); // what is no number, as JSON writes it
  const learns = JSON.stringify(initial.parameters.router) !== JSON.stringify({ shared: {}, layers: [{}, {}] });
  expect(inspection.gradient !== undefined).toBe(learns);
  expect(inspection.laterTokens > 0).toBe(name === "expert-choice");
});
