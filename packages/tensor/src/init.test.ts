import { expectClose, testGpu } from "@webmoe/webgpu/testing";
import { expect, test } from "vitest";
import { readTensor, release } from "./device-tensor";
import { constantInit, materialize, normal, uniform, valuesInit } from "./init";
import { fold, key, normals, uniforms } from "./threefry";

test("the device draws the numbers that the host draws", async () => {
  const [a, b] = [fold(key(7), "a"), fold(key(7), "b")];
  const tree = {
    normal: normal([17, 33], 0.02, a),
    odd: normal([7], 2, b),
    uniform: uniform([5, 5], 0.5, b),
    constant: constantInit([], -3.5),
    values: valuesInit([2], Float32Array.of(1, 2)),
  };
  const parameters = await materialize(await testGpu(), tree);
  const twin = normals(a, 17 * 33).map((value) => 0.02 * value);
  expectClose(await readTensor(parameters.normal), twin, 1e-7);
  expectClose(
    await readTensor(parameters.odd),
    normals(b, 7).map((value) => 2 * value),
    1e-5,
  );
  expectClose(
    await readTensor(parameters.uniform),
    uniforms(b, 25).map((value) => value - 0.5),
    1e-6,
  );
  expect([...(await readTensor(parameters.constant))]).toEqual([-3.5]);
  expect([...(await readTensor(parameters.values))]).toEqual([1, 2]);
  release(parameters);
});
