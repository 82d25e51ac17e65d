// A mixture-of-experts layer by itself: npx tsx apps/examples/src/moe-layer.ts

import { initExperts, moeLayer } from "@webmoe/moe";
import { linearRouter } from "@webmoe/router-linear";
import { compile, constant, f32, key, materialize, normals, u32 } from "@webmoe/tensor";
import { openGpu } from "@webmoe/webgpu/node";

const [tokens, dim] = [64, 16];
const config = { experts: 8, topK: 2, hidden: 32 };
const router = linearRouter();
const { shared, layers } = router.init({ dim, layers: 1, vocab: tokens, ...config }, key(1));

const gpu = await openGpu();
const state = await materialize(gpu, { experts: initExperts(dim, config, key(2)), shared, layer: layers[0]! });
const inputs = { x: f32(tokens, dim), ids: u32(tokens) };
const program = await compile(gpu, { state, inputs }, ({ experts, shared, layer }, { x, ids }) => {
  const { y, load, balanceLoss } = moeLayer({
    x,
    experts,
    config,
    router,
    routerParameters: { shared, layer },
    index: 0, // the first MoE layer: no carry yet
    carry: undefined,
    tokens: ids,
    mask: constant(x.trace, [tokens], 1), // no padding
    training: false,
  });
  return { y, load, balanceLoss };
});
const x = normals(key(3), tokens * dim);
const { y, load, balanceLoss } = await (await program.run({ x, ids: new Uint32Array(tokens) })).outputs;
console.log(`output ${y.length / dim} x ${dim}`);
console.log(`tokens of each expert: ${[...load].join(" ")}`);
console.log(`balance loss ${balanceLoss[0]!.toFixed(3)}; 1 is even`);
program.close();
gpu.close();
