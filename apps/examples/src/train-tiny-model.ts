// Train a very small mixture of experts on one sentence, then let it write: npx tsx apps/examples/src/train-tiny-model.ts

import { byteTokenizer, splitTokens } from "@webmoe/data";
import { languageModel } from "@webmoe/model";
import { recurrentRouter } from "@webmoe/router-recurrent";
import { openGenerator, type Session, train, trainSettings } from "@webmoe/trainer";
import { openGpu } from "@webmoe/webgpu/node";

const model = languageModel(
  {
    vocab: 256, // the tokens are bytes
    dim: 32,
    layers: 2,
    heads: 2,
    context: 32,
    moe: { experts: 4, topK: 2, hidden: 32, balanceLoss: 0.01, zLoss: 0 },
  },
  recurrentRouter({ dim: 16 }),
);
const tokenizer = byteTokenizer();
const text = "She sells sea shells by the sea shore; the shells she sells are sea shells, I'm sure. ";
const data = splitTokens(tokenizer.encode(text.repeat(20)));
const settings = trainSettings({ train: { steps: 120 }, optimizer: { lr: 1e-2 } });

let session: Session | undefined;
for await (const report of train({ open: openGpu, model, settings, data })) {
  if (report.kind === "ready") session = report.session;
  if (report.kind === "step" && report.step % 20 === 0) {
    console.log(`step ${report.step}  loss ${report.loss.toFixed(4)} nats a token`);
  }
  if (report.kind === "validation") {
    console.log(`validation  ${report.bitsPerByte.toFixed(3)} bits per byte`);
    // The device is open until the loop ends, so this is the place to write.
    const generator = await openGenerator(session!.gpu, model, session!.state.parameters);
    const decoder = tokenizer.decoder();
    let written = "";
    for await (const token of generator.generate({ prompt: tokenizer.encode("She "), tokens: 40, temperature: 0 })) {
      written += decoder.push([token]);
    }
    generator.close();
    console.log(`She ${written}${decoder.end()}`);
  }
}
