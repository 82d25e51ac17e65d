import { languageModel } from "@webmoe/model";
import { recurrentRouter } from "@webmoe/router-recurrent";
import { type DeviceTensor, key, leaves, readTensor } from "@webmoe/tensor";
import { testGpu } from "@webmoe/webgpu/testing";
import { describe, expect, test } from "vitest";
import { splitFrozen } from "./freeze";
import { openSession } from "./session";
import { trainSettings } from "./settings";

const model = languageModel(
  {
    vocab: 31,
    dim: 16,
    layers: 2,
    heads: 2,
    context: 8,
    moe: { experts: 4, topK: 2, hidden: 12, balanceLoss: 0.01, zLoss: 0 },
  },
  recurrentRouter({ dim: 8 }),
);
const batch = {
  tokens: Uint32Array.from({ length: 16 }, (_, i) => (i * 7) % 31),
  targets: Uint32Array.from({ length: 16 }, (_, i) => (i * 7 + 7) % 31),
};

async function afterSteps(freeze: string[], accumulate = 1) {
  const settings = trainSettings({
    freeze,
    batch: { size: 2, accumulate },
    optimizer: { lr: 0.1, weightDecay: 0.5, decay: "all" },
  });
  const session = await openSession(await testGpu(), model, settings);
  const values = async () => {
    const read = leaves<DeviceTensor>(session.state.parameters).map(
      async ([path, leaf]) => [path, await readTensor(leaf)] as const,
    );
    return new Map(await Promise.all(read));
  };
  const before = await values();
  for (let step = 1; step <= 2; step++) await (await session.step(Array(accumulate).fill(batch), 0.1, step)).values;
  const after = await values();
  const unchanged = [...before].flatMap(([path, value]) =>
    Buffer.compare(Buffer.from(value.buffer), Buffer.from(after.get(path)!.buffer)) === 0 ? [path] : [],
  );
  const moments = leaves(session.state.optimizer.first).length;
  const { dispatches } = session.stats;
  session.close();
  return { before, unchanged, moments, dispatches };
}

describe("frozen parts", () => {
  test("stay as they are, decay included, and everything else learns", async () => {
    const plain = await afterSteps([]);
    expect(plain.unchanged).toEqual([]);
    const frozen = await afterSteps(["router", "experts"]);
    const wanted = [...plain.before.keys()].filter((path) => /^router\.|\.experts\./.test(path));
    expect(frozen.unchanged.sort()).toEqual(wanted.sort());
    expect(frozen.before).toEqual(plain.before);
    // Neither moments nor weight gradients of what is frozen.
    expect(frozen.moments).toBe(plain.moments - wanted.length);
    expect(frozen.dispatches).toBeLessThan(plain.dispatches - wanted.length / 2);
  });

  test("stay as they are under accumulation", async () => {
    const { unchanged } = await afterSteps(["embedding", "attention"], 2);
    expect(unchanged.sort()).toEqual([
      "blocks.0.attention.output",
      "blocks.0.attention.qkv",
      "blocks.1.attention.output",
      "blocks.1.attention.qkv",
      "embedding",
    ]);
  });

  test("are named by parts, down to one gate of each layer", () => {
    const { parameters } = model.init(key(1));
    const paths = (names: string[]) => leaves(splitFrozen(parameters, names).frozen).map(([path]) => path);
    expect(paths(["router.layers.*.gate"])).toEqual(["router.layers.0.gate", "router.layers.1.gate"]);
    expect(paths(["router.shared.gru"])).toHaveLength(4);
    expect(() => paths(["exprts"])).toThrow(/needs a part of the model \(embedding, norm1, .*, and it has no "exprts"/);
    expect(() => paths(["embedding", "blocks", "norm", "head", "router"])).toThrow(/something left to learn/);
  });
});
