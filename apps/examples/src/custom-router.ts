// A router with a memory, checked and trained: what it scores at one MoE layer, it remembers at the next. npx tsx apps/examples/src/custom-router.ts

import { byteTokenizer, splitTokens } from "@webmoe/data";
import { languageModel, presets } from "@webmoe/model";
import { linear, linearWeight } from "@webmoe/nn";
import { defineRouter } from "@webmoe/router";
import { checkRouter } from "@webmoe/router/testing";
import { add, fold, type Init, scale, type Tensor } from "@webmoe/tensor";
import { train, trainSettings } from "@webmoe/trainer";
import { openGpu } from "@webmoe/webgpu/node";

/** logits_l = W_l u + decay * logits_(l-1). The type of what is handed on, a tensor [T, E], is the third argument. */
const echoRouter = ({ decay = 0.5 } = {}) =>
  defineRouter<Record<string, never>, Init, Tensor>({
    name: "echo",
    init: ({ dim, experts, layers }, key) => ({
      shared: {},
      layers: Array.from({ length: layers }, (_, index) => linearWeight([experts, dim], fold(key, `layers.${index}`))),
    }),
    score: ({ x, layer, carry }) => {
      const own = linear(x, layer);
      const logits = carry ? add(own, scale(carry, decay)) : own;
      return { logits, carry: logits };
    },
  });

const gpu = await openGpu();
await checkRouter(echoRouter(), { gpu }); // throws at the first promise of the contract that is broken
console.log("the router keeps its contract");
gpu.close();

const model = languageModel(presets.nano.model, echoRouter({ decay: 0.7 }));
const text = "How much wood would a woodchuck chuck if a woodchuck could chuck wood? ".repeat(40);
const data = splitTokens(byteTokenizer().encode(text));
const settings = trainSettings({ train: { steps: 30 }, batch: { size: 4 } });

for await (const report of train({ open: openGpu, model, settings, data })) {
  if (report.kind === "step" && report.step % 10 === 0) {
    console.log(`step ${report.step}  loss ${report.loss.toFixed(4)}`);
  }
  if (report.kind === "validation") {
    for (const [layer, counts] of report.load.entries()) {
      console.log(`layer ${layer}  tokens of each expert: ${counts.join(" ")}`);
    }
  }
}
