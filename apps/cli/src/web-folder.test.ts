import { mkdtemp, readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { byteTokenizer, characterTokenizer } from "@webmoe/data";
import { fromFloat16, parseSafetensors, type SafetensorsDtype } from "@webmoe/tensor/files";
import { readTensors, writeTensors } from "@webmoe/trainer/node";
import { expect, test } from "vitest";
import { resolveConfig } from "./config/resolve";
import { writeWebFolder } from "./web-folder";

const folder = await mkdtemp(join(tmpdir(), "webmoe-web-"));

/** A checkpoint with a scalar parameter and two buffers. */
async function checkpoint() {
  const tensor = (name: string, dtype: SafetensorsDtype, shape: number[], values: Float32Array | Uint32Array) => ({
    name,
    dtype,
    shape,
    data: async () => new Uint8Array(values.buffer),
  });
  await writeTensors(join(folder, "all.safetensors"), [
    tensor("model.norm.weight", "F32", [3], Float32Array.of(1, 0.1, -2)),
    tensor("model.router.scale", "F32", [], Float32Array.of(0.3)),
    tensor("model.router.buffers.bias", "F32", [2], Float32Array.of(0.1, 1e-9)),
    tensor("model.router.buffers.count", "U32", [1], Uint32Array.of(70001)),
  ]);
  return readTensors(join(folder, "all.safetensors"));
}

test("an exported folder has parameters of the type asked for, shapes as they were, and exact buffers", async () => {
  const out = join(folder, "f16");
  const config = resolveConfig({ set: ["router.name=loss-free"] });
  await writeWebFolder(out, { config, tensors: await checkpoint(), tokenizer: byteTokenizer(), type: "f16" });
  expect((await readdir(out)).sort()).toEqual(["config.json", "model.safetensors"]);
  const saved = JSON.parse(await readFile(join(out, "config.json"), "utf8"));
  expect(saved.config).toEqual({
    model: config.model,
    moe: config.moe,
    router: { name: "loss-free" },
    tokenizer: { name: "bytes" },
  });
  const tensors = parseSafetensors(await readFile(join(out, "model.safetensors")));
  const norm = tensors.get("model.norm.weight")!;
  expect([...fromFloat16(norm.values as Uint16Array)]).toEqual([1, 0.0999755859375, -2]);
  expect(tensors.get("model.router.scale")!.shape).toEqual([]);
  expect(tensors.get("model.router.buffers.bias")!.values).toEqual(Float32Array.of(0.1, 1e-9));
  expect(tensors.get("model.router.buffers.count")!.values).toEqual(Uint32Array.of(70001));
});

test("of a router's file a page learns the name, and not where it lies", async () => {
  const out = join(folder, "own");
  const config = resolveConfig({ set: ["router.name=./secret/mine.ts", "router.hidden=4"] });
  await writeWebFolder(out, { config, tensors: await checkpoint(), tokenizer: byteTokenizer(), type: "f32" });
  const text = await readFile(join(out, "config.json"), "utf8");
  expect(JSON.parse(text).config.router).toEqual({ name: "mine.ts", hidden: 4 });
  expect(text).not.toContain("secret");
});

test("a tokenizer comes along; a classifier and a folder with files are refused", async () => {
  const tensors = await checkpoint();
  const config = resolveConfig({ set: ["tokenizer.name=characters"] });
  const given = { tensors, tokenizer: characterTokenizer("abc"), type: "f32" as const };
  await writeWebFolder(join(folder, "characters"), { config, ...given });
  expect(JSON.parse(await readFile(join(folder, "characters/tokenizer.json"), "utf8"))).toEqual(
    given.tokenizer.toJSON(),
  );
  await expect(writeWebFolder(folder, { config, ...given })).rejects.toThrow(/missing or empty/);
  const classify = { ...config, task: "classify" as const };
  await expect(writeWebFolder(join(folder, "c"), { config: classify, ...given })).rejects.toThrow(/classifies texts/);
});
