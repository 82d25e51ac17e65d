import { recurrentRouter } from "@webmoe/router-recurrent";
import { gradients, type Init, key, mapTree, packLike, sizeOf, Trace } from "@webmoe/tensor";
import { planMemory, Recording } from "@webmoe/webgpu";
import { serialTarget } from "@webmoe/webgpu/testing";
import { expect, test } from "vitest";
import { languageModel } from "./language-model";
import { presets } from "./presets";

/** Bytes of activations of a step of `base`, planned and not allocated. */
function activationBytes(recompute: boolean): number {
  const { model: config, batch, routerDim } = presets.base;
  const model = languageModel(config, recurrentRouter({ dim: routerDim }));
  const limits = { maxStorageBufferBindingSize: 2 ** 40, maxBufferSize: 2 ** 40 };
  const trace = new Trace(new Recording(serialTarget, limits));
  const buffer = (size: number, label: string) => ({ size, label }) as GPUBuffer;
  const parameters = mapTree(model.init(key(0)).parameters, (leaf, path) => {
    const { shape } = leaf as Init;
    return trace.external(shape, "f32", buffer(sizeOf(shape) * 4, path), 0);
  });
  const input = (name: string) =>
    trace.external([batch, config.context], "u32", buffer(batch * config.context * 4, name), 0);
  const given = { tokens: input("tokens"), targets: input("targets") };
  const { total } = model.loss(parameters, given, { training: true, recompute });
  // Gradients lie in arenas of their own, as an optimizer has them.
  const packed = packLike(parameters, gradients(total, parameters));
  const kept = new Set([...packed.values()].map(({ slice }) => slice.storage));
  return planMemory(trace.recording, kept).bytes.activations;
}

test("at base, computing blocks again takes at most two fifths of the activations", () => {
  const [kept, again] = [activationBytes(false), activationBytes(true)];
  expect(again).toBeLessThan(0.4 * kept);
});
