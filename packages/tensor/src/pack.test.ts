import { expectClose, testGpu } from "@webmoe/webgpu/testing";
import { expect, test } from "vitest";
import { compile } from "./compile";
import { allocate, release, spec } from "./device-tensor";
import { gradients } from "./gradients";
import { add, mul, scale } from "./ops/elementwise";
import { sum } from "./ops/reduce";
import { packLike } from "./pack";
import { f32, rowRange, type Tensor } from "./tensor";
import { random } from "./testing";

/** What `packLike` puts into the one arena of parameters a [3] and b [3], from two inputs. */
async function packed(body: (x: Tensor, y: Tensor, state: { a: Tensor; b: Tensor }) => { a: Tensor; b: Tensor }) {
  const gpu = await testGpu();
  const state = await allocate(gpu, { a: spec([3]), b: spec([3]) }, "parameters");
  const inputs = { x: f32(3), y: f32(3) };
  const program = await compile(gpu, { state, inputs }, (handles, { x, y }) => {
    const arenas = packLike(handles, body(x, y, handles));
    expect(arenas.size).toBe(1);
    return [...arenas.values()][0]!;
  });
  const values = { x: random([3]).data, y: random([3], 2).data };
  const whole = await (await program.run(values)).outputs;
  program.close();
  release(state);
  const at = (leaf: { offset: number }) => whole.subarray(leaf.offset / 4, leaf.offset / 4 + 3);
  expect(whole.filter((value) => value !== 0).length).toBeLessThanOrEqual(6); // the room between ranges stays zero
  return { ...values, a: at(state.a), b: at(state.b), dispatches: program.stats.dispatches };
}

test("kernels write into the ranges themselves", async () => {
  const { x, y, a, b, dispatches } = await packed((x, y) => ({ a: scale(x, 2), b: scale(y, 3) }));
  expectClose(
    a,
    x.map((value) => 2 * value),
  );
  expectClose(
    b,
    y.map((value) => 3 * value),
  );
  expect(dispatches).toBe(2);
});

test("one tensor for two parameters is copied into both ranges", async () => {
  const { x, y, a, b, dispatches } = await packed((x, y) => {
    const shared = mul(x, y);
    return { a: shared, b: shared };
  });
  const expected = x.map((value, i) => value * y[i]!);
  expectClose(a, expected);
  expectClose(b, expected);
  expect(dispatches).toBeGreaterThan(1);
});

test("gradients that share memory: of a sum by its two terms", async () => {
  const { x, a, b } = await packed((x, _, state) => gradients(sum(mul(add(state.a, state.b), x)), state));
  expectClose(a, x);
  expectClose(b, x);
});

test("two ranges of one tensor that follow one another as parameters do move together", async () => {
  const gpu = await testGpu();
  const state = await allocate(gpu, { a: spec([128]), b: spec([128]), c: spec([128]) }, "parameters");
  const sums = async (names: ("a" | "b" | "c")[]) => {
    const program = await compile(gpu, { state, inputs: { x: f32(256), y: f32(128) } }, (handles, { x, y }) => {
      const both = scale(x, 2);
      const [first, second, other] = [rowRange(both, 0, 128), rowRange(both, 128, 256), scale(y, 3)];
      const values = Object.fromEntries(names.map((name, index) => [name, [first, second, other][index]!]));
      return [...packLike(handles, values).values()][0]!;
    });
    const [x, y] = [random([256]).data, random([128], 2).data];
    const whole = await (await program.run({ x, y })).outputs;
    program.close();
    const at = ({ offset }: { offset: number }) => whole.subarray(offset / 4, offset / 4 + 128);
    const expected = [x.subarray(0, 128), x.subarray(128), y].map((part, index) =>
      part.map((v) => v * [2, 2, 3][index]!),
    );
    for (const [index, name] of names.entries()) expectClose(at(state[name]), expected[index]!);
    return program.stats.dispatches;
  };
  expect(await sums(["a", "b", "c"])).toBe(2);
  // In another order each is copied.
  expect(await sums(["b", "a", "c"])).toBe(4);
  release(state);
});

test("an input is copied, since uploads go to its own memory", async () => {
  const { x, y, a, b } = await packed((x, y) => ({ a: x, b: y }));
  expectClose(a, x);
  expectClose(b, y);
});

test("a tensor that a later kernel reads may move", async () => {
  const { x, a, b } = await packed((x) => {
    const doubled = scale(x, 2);
    return { a: doubled, b: scale(doubled, 2) };
  });
  expectClose(
    a,
    x.map((value) => 2 * value),
  );
  expectClose(
    b,
    x.map((value) => 4 * value),
  );
});

test("a tensor of another size, or none, is an error", async () => {
  await expect(packed((x) => ({ a: x, b: sum(x) }))).rejects.toThrow(
    "packLike: needs a tensor like b f32[3], got f32[]",
  );
  await expect(packed((x) => ({ a: x }) as never)).rejects.toThrow("packLike: needs a tensor like b f32[3], got none");
});
