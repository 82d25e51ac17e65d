// Three routers in the same model, on the same batches: npx tsx apps/examples/src/compare-routers.ts
// Every other parameter starts from the same values too. One short run says nothing about which is better.

import { byteTokenizer, splitTokens } from "@webmoe/data";
import { languageModel, measureModel, presets } from "@webmoe/model";
import type { AnyRouter } from "@webmoe/router";
import { linearRouter } from "@webmoe/router-linear";
import { recurrentRouter } from "@webmoe/router-recurrent";
import { xmoeRouter } from "@webmoe/router-xmoe";
import { train, trainSettings } from "@webmoe/trainer";
import { openGpu } from "@webmoe/webgpu/node";

const rhyme = [
  "This is the house that Jack built. This is the malt that lay in the house that Jack built. ",
  "This is the rat that ate the malt that lay in the house that Jack built. ",
  "This is the cat that chased the rat that ate the malt that lay in the house that Jack built. ",
].join("");
const data = splitTokens(byteTokenizer().encode(rhyme.repeat(10)));
const settings = trainSettings({ seed: 7, train: { steps: 25 }, batch: { size: 4 } });

const routers: AnyRouter[] = [recurrentRouter({ dim: 32 }), linearRouter(), xmoeRouter({ dim: 8 })];
for (const router of routers) {
  const model = languageModel(presets.nano.model, router);
  for await (const report of train({ open: openGpu, model, settings, data })) {
    if (report.kind !== "validation") continue;
    const loss = report.loss.toFixed(4);
    console.log(`${router.name.padEnd(10)} validation loss ${loss}, ${measureModel(model).router} router parameters`);
  }
}
