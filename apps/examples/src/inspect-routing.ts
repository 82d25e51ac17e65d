// Which experts a trained model sends a text to, the newest one by default:
// npx tsx apps/examples/src/inspect-routing.ts runs/NAME "Call me Ishmael."

import { byteTokenizer } from "@webmoe/data";
import { loadFigures } from "@webmoe/inspect";
import { languageModel, type ModelConfig } from "@webmoe/model";
import { routerNamed } from "@webmoe/routers";
import { compile, type DeviceTensor, key, materialize, topK, u32 } from "@webmoe/tensor";
import { restoreParameters, restorePlain } from "@webmoe/trainer";
import { latestRun, openRun } from "@webmoe/trainer/node";
import { openGpu } from "@webmoe/webgpu/node";

type Config = { model: ModelConfig; moe: ModelConfig["moe"]; router: { name: string } };

const [path, text = "Call me Ishmael."] = process.argv.slice(2);
const run = await openRun(path ?? (await latestRun("runs")) ?? "runs");
const { config } = (await run.readConfig()) as { config: Config };
const { name, ...options } = config.router;
const router = routerNamed(name)?.make(options);
if (!router) throw new Error(`inspect-routing: needs a run of a router that comes with webmoe, got one of "${name}"`);
const model = languageModel({ ...config.model, moe: config.moe }, router);
const checkpoint = (await run.latestCheckpoint())!;

const gpu = await openGpu();
const initial = model.init(key(0));
const parameters = await materialize(gpu, initial.parameters);
const buffers = (await materialize(gpu, initial.buffers)) as Record<string, DeviceTensor>;
await restoreParameters(model, parameters, checkpoint.model);
await restorePlain(buffers, checkpoint.model, "model.router.buffers.");

const tokens = byteTokenizer().encode(text.slice(0, config.model.context));
const inputs = { tokens: u32(1, tokens.length), targets: u32(1, tokens.length) };
const program = await compile(gpu, { state: { parameters, buffers }, inputs }, ({ parameters, buffers }, batch) => {
  const { layers, load } = model.loss(parameters, batch, { buffers, training: false });
  return { load, chosen: layers.map(({ logits }) => topK(logits, config.moe.topK)) };
});
const { load, chosen } = await (await program.run({ tokens, targets: tokens })).outputs;
load.forEach((counts, layer) => {
  const { dead, maxLoad } = loadFigures(counts, config.moe.topK);
  console.log(
    `layer ${layer}  tokens of each expert ${[...counts].join(" ")}  dead ${dead}  busiest ${maxLoad.toFixed(2)}`,
  );
});
tokens.forEach((token, at) => {
  const experts = chosen.map((layer) => [...layer.slice(at * config.moe.topK, (at + 1) * config.moe.topK)].join("+"));
  console.log(`${JSON.stringify(String.fromCharCode(token)).padEnd(5)} ${experts.join("  ")}`);
});
program.close();
gpu.close();
