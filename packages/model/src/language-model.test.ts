import { readFileSync } from "node:fs";
import { linearRouter } from "@webmoe/router-linear";
import { recurrentRouter } from "@webmoe/router-recurrent";
import { xmoeRouter } from "@webmoe/router-xmoe";
import {
  compile,
  type DeviceTensor,
  gradients,
  type HostArray,
  key,
  leaves,
  materialize,
  release,
  u32,
  writeTensor,
} from "@webmoe/tensor";
import { parseSafetensors } from "@webmoe/tensor/files";
import { relativeError } from "@webmoe/tensor/testing";
import { testGpu } from "@webmoe/webgpu/testing";
import { describe, expect, test } from "vitest";
import { fileTensors } from "./file-names";
import { languageModel } from "./language-model";

// Parameters, inputs, losses and gradients from tools/fixtures/make_fixtures.py (PyTorch, float64).
const config = {
  vocab: 23,
  dim: 12,
  layers: 2,
  heads: 2,
  context: 9,
  moe: { experts: 4, topK: 2, hidden: 7, balanceLoss: 0.01, zLoss: 0 },
};

describe.each([
  { name: "recurrent", router: recurrentRouter({ dim: 5 }) },
  { name: "linear", router: linearRouter() },
  { name: "xmoe", router: xmoeRouter({ dim: 5 }) },
])("with the $name router", ({ name, router }) => {
  test("loss and every gradient of a step agree with PyTorch", async () => {
    const fixture = parseSafetensors(readFileSync(new URL(`./fixtures/${name}.safetensors`, import.meta.url)));
    const gpu = await testGpu();
    const model = languageModel(config, router);
    const parameters = await materialize(gpu, model.init(key(0)).parameters);
    const files = fileTensors<DeviceTensor>(config, parameters);
    expect(new Set(files.map((file) => `param.${file.name}`))).toEqual(
      new Set([...fixture.keys()].filter((key) => key.startsWith("param."))),
    );
    const values = new Map<DeviceTensor, Float32Array>();
    for (const { name, leaf, start } of files) {
      const whole = values.get(leaf) ?? new Float32Array(leaf.shape.reduce((a, b) => a * b, 1));
      whole.set(fixture.get(`param.${name}`)!.values, start);
      values.set(leaf, whole);
    }
    for (const [leaf, whole] of values) writeTensor(leaf, whole);

    const inputs = { tokens: u32(3, 9), targets: u32(3, 9) };
    const program = await compile(gpu, { state: { parameters }, inputs }, (state, batch) => {
      const { total, loss } = model.loss(state.parameters as never, batch, { training: true });
      return { total, loss, gradients: gradients(total, state.parameters) };
    });
    const batch = {
      tokens: Uint32Array.from(fixture.get("tokens")!.values),
      targets: Uint32Array.from(fixture.get("targets")!.values),
    };
    const outputs = await (await program.run(batch)).outputs;
    expect(relativeError(outputs.loss, fixture.get("loss")!.values)).toBeLessThan(1e-5);
    expect(relativeError(outputs.total, fixture.get("total")!.values)).toBeLessThan(1e-5);

    const byPath = new Map(
      leaves<DeviceTensor>(parameters).map(([path, leaf]) => [leaf, valueAt(outputs.gradients, path)]),
    );
    for (const { name, shape, leaf, start } of files) {
      const size = shape.reduce((a, b) => a * b, 1);
      const actual = byPath.get(leaf)!.subarray(start, start + size);
      expect(relativeError(actual, fixture.get(`grad.${name}`)!.values), name).toBeLessThan(1e-4);
    }
    program.close();
    release(parameters);
  });
});

function valueAt(tree: unknown, path: string): HostArray {
  return path.split(".").reduce((branch, key) => (branch as Record<string, unknown>)[key], tree) as HostArray;
}
