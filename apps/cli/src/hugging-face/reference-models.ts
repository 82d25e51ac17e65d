// Small models of every kind that an export covers, each with the logits that webmoe gives for one text, for tools/hugging-face to
// compare with PyTorch's: tsx reference-models.ts OUT_FOLDER

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { byteTokenizer } from "@webmoe/data";
import type { LanguageModel, LanguageModelParameters } from "@webmoe/model";
import { type DeviceTensor, leaves, readTensor, writeTensor } from "@webmoe/tensor";
import { memoryRun, openDecoder, openSession, save } from "@webmoe/trainer";
import type { Gpu } from "@webmoe/webgpu";
import { openGpu } from "@webmoe/webgpu/node";
import { resolveConfig } from "../config/resolve";
import type { Config } from "../config/schema";
import { EXPORT_TYPES, type ExportType } from "../export-types";
import { makeModel } from "../run-model";
import { exportFolder } from "./export-folder";

/** A name, and the keys of a configuration. */
const CASES: Record<string, string[]> = {
  recurrent: [],
  "recurrent-shared-dense": ["moe.sharedExperts=2", "moe.denseLayers=[1]", "moe.activation=geglu"],
  "recurrent-options": ["router.projection=none", "router.bias=true", "router.residual=0.5", "moe.activation=reglu"],
  "recurrent-stateless": ["router.state=false", "moe.topK=1", "moe.activation=gelu"],
  linear: ["router.name=linear", "router.bias=true", "moe.topK=1", "moe.renormalize=true"],
  xmoe: ["router.name=xmoe", "moe.topK=3", "moe.renormalize=false", "moe.activation=relu"],
  cosine: ["router.name=cosine", "router.learnTemperature=false", "router.temperature=0.2"],
  dense: ["moe.denseLayers=[0,1,2]"],
};

const text = "It was the best of times,";

const [out] = process.argv.slice(2);
if (!out) throw new Error("reference-models: needs a folder to write to");
const gpu = await openGpu({ adapter: process.env.WEBMOE_TEST_ADAPTER });
for (const [name, set] of Object.entries(CASES)) {
  const size = ["model.layers=3", "model.dim=24", "model.context=32", "moe.hidden=20", "model.heads=2"];
  const config = resolveConfig({ set: [...size, ...set] });
  if (config.router.name === "recurrent") config.router.dim = 10;
  await writeCase(gpu, config, name);
}
gpu.close();

async function writeCase(gpu: Gpu, config: Config, name: string): Promise<void> {
  const model = await makeModel(config);
  const session = await openSession(gpu, model, config);
  await spreadOut(session.state.parameters);
  const run = memoryRun();
  await save(run, session, model, { step: 0, settings: config });
  const parameters = (await run.latestCheckpoint())!.model;
  const tokenizer = byteTokenizer();
  const tokens = [...tokenizer.encode(text)];
  const logits = await logitsOf(gpu, model, session.state.parameters as LanguageModelParameters<DeviceTensor>, tokens);
  session.close();
  for (const type of Object.keys(EXPORT_TYPES) as ExportType[]) {
    const folder = join(out!, `${name}-${type}`);
    await exportFolder(folder, { config, model, parameters, tokenizer, type });
    await writeFile(join(folder, "reference.json"), JSON.stringify({ tokens, logits }));
  }
  console.log(`${name}: written`);
}

/** Weights large enough that each part of the model shows in the logits. */
async function spreadOut(parameters: unknown): Promise<void> {
  for (const [path, leaf] of leaves<DeviceTensor>(parameters)) {
    const values = await readTensor(leaf);
    const isNorm = /norm\d?$/.test(path);
    writeTensor(
      leaf,
      values.map((value, index) => (isNorm ? 1 + 0.3 * Math.sin(index) : value * (leaf.shape.length > 0 ? 10 : 1))),
    );
  }
}

/** Scores of the next token after each one, [T][V]. */
async function logitsOf(
  gpu: Gpu,
  model: LanguageModel,
  parameters: LanguageModelParameters<DeviceTensor>,
  tokens: number[],
): Promise<number[][]> {
  const decoder = await openDecoder(gpu, model, { parameters }, ({ logits }) => logits);
  const rows: number[][] = [];
  for (const [position, token] of tokens.entries()) {
    rows.push([...(await (await decoder.feed(token, position)).outputs).read]);
  }
  decoder.close();
  return rows;
}
