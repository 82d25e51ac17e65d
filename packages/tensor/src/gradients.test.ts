import { copy } from "@webmoe/webgpu";
import { expectClose, testGpu } from "@webmoe/webgpu/testing";
import { expect, test } from "vitest";
import { evaluate } from "./compile";
import { gradients } from "./gradients";
import { add, mul, scale } from "./ops/elementwise";
import { map } from "./ops/map";
import { matmul } from "./ops/matmul";
import { sum, sumOfRows } from "./ops/reduce";
import { recomputed } from "./recomputed";
import { place, rowRange, stopGradient, type Tensor, withGradient, withoutGradient } from "./tensor";
import { random } from "./testing";

const x = random([3]);
const y = random([3], 2);

/** The gradients that a program of two inputs returns. */
async function gradientsOf<T>(body: (x: Tensor, y: Tensor) => T) {
  return evaluate(await testGpu(), { x, y }, ({ x, y }) => body(x, y));
}

test("two uses of a tensor are summed", async () => {
  const d = await gradientsOf((x, y) => gradients(sum(add(mul(x, y), mul(x, x), scale(x, 3))), { x }));
  expectClose(
    d.x,
    x.data.map((value, i) => y.data[i]! + 2 * value + 3),
  );
});

test("a product's gradient is added to others as it is computed", async () => {
  const [x, w, v] = [random([6, 4]), random([4, 5], 2), random([4, 3], 3)];
  let kernels: string[] = [];
  const d = await evaluate(await testGpu(), { x, w, v }, ({ x, w, v }) => {
    const result = gradients(add(sum(matmul(x, w)), sum(matmul(x, v)), sum(scale(x, 3))), { x });
    kernels = x.trace.recording.dispatches.map(({ kernel }) => kernel.name);
    return result;
  });
  const rowSum = ({ data, shape }: typeof w, row: number) =>
    data.subarray(row * shape[1]!, (row + 1) * shape[1]!).reduce((total, value) => total + value, 0);
  expectClose(
    d.x,
    x.data.map((_, i) => rowSum(w, i % 4) + rowSum(v, i % 4) + 3),
  );
  expect(kernels.filter((name) => name === "matmulAdd")).toHaveLength(2);
  expect(kernels.filter((name) => name === "add")).toHaveLength(1); // of the losses
});

/** Gradients of two matrices through `layers` uses of them one after another, and the kernels that the program calls. */
async function throughLayers(layers: number) {
  const [h, w, v] = [random([64, 16], 3), random([16, 16], 4), random([16, 16], 5)];
  let kernels: string[] = [];
  const d = await evaluate(await testGpu(), { h, w, v }, ({ h, w, v }) => {
    let state = h;
    for (let layer = 0; layer < layers; layer++) state = matmul(matmul(state, w), v, { transposeB: true });
    const result = gradients(sum(mul(state, state)), { w, v });
    kernels = h.trace.recording.dispatches.map(({ kernel }) => kernel.name);
    return result;
  });
  return { d, products: kernels.filter((name) => name === "matmul").length };
}

test("a matrix that several layers share gets one product over the rows of all", async () => {
  const [one, three] = [await throughLayers(1), await throughLayers(3)];
  // In each layer two forward, and two for what comes in but for h; then one for w and one for v.
  expect([one.products, three.products]).toEqual([4 - 1 + 2, 12 - 1 + 2]);
});

test("the gradient of a matrix that layers share is the sum of theirs", async () => {
  const [x, w] = [random([64, 16], 3), random([16, 16], 4)];
  const copies = { w0: w, w1: w, w2: w };
  const loss = (x: Tensor, ws: Tensor[]) => {
    const y = ws.reduce(
      (state, w) =>
        matmul(
          map("tanh", [state], (s) => s.tanh()),
          w,
        ),
      x,
    );
    return sum(mul(y, y));
  };
  const gpu = await testGpu();
  const shared = await evaluate(gpu, { x, w }, ({ x, w }) => gradients(loss(x, [w, w, w]), { w }));
  const apart = await evaluate(gpu, { x, ...copies }, ({ x, ...ws }) => gradients(loss(x, Object.values(ws)), ws));
  expectClose(
    shared.w,
    apart.w0.map((value, i) => value + apart.w1[i]! + apart.w2[i]!),
    1e-4,
  );
});

test.each([1, 3])("inputs that are parts of one sum over rows share it, %i uses", async (uses) => {
  const [x, b, c] = [random([5, 128]), random([64], 2), random([64], 3)];
  let sums = 0;
  const d = await evaluate(await testGpu(), { x, b, c }, ({ x, b, c }) => {
    const ys = Array.from({ length: uses }, () =>
      withGradient("halves of a row", scale(x, 1), [b, c], (dy) => [
        { rows: [dy], total: sumOfRows, range: [0, 64] },
        { rows: [dy], total: sumOfRows, range: [64, 128] },
      ]),
    );
    const result = gradients(sum(mul(add(x, ...ys), x)), { b, c });
    sums = x.trace.recording.dispatches.filter(({ kernel }) => kernel.name === "columnSum").length;
    return result;
  });
  const expected = Array.from({ length: 128 }, (_, column) =>
    x.data.reduce((total, value, i) => total + (i % 128 === column ? uses * value : 0), 0),
  );
  expectClose([...d.b, ...d.c], expected);
  expect(sums).toBe(1);
});

/** How many sums were asked for at once. */
const summed: number[] = [];

/** The sums over rows of one tensor: each of `count` equal parts. */
function sumsOfParts(count: number, rows: Tensor): Tensor[] {
  summed.push(count);
  const each = rows.shape[0]! / count;
  return Array.from({ length: count }, (_, part) => sumOfRows(rowRange(rows, part * each, (part + 1) * each)));
}

/** x + bias, whose gradient is computed beside that of other biases. */
function addBias(x: Tensor, bias: Tensor): Tensor {
  const y = place(copy, { x }, { items: x.size }, { y: x.shape }).y;
  return withGradient("addBias", y, [x, bias], (dy) => [dy, { rows: [dy], totals: sumsOfParts }]);
}

test("sums of parameters that one op each uses are computed beside each other, but for a parameter of two ops", async () => {
  const given = {
    x: random([2, 64]),
    y: random([2, 64], 2),
    a: random([64], 3),
    b: random([64], 4),
    both: random([64], 5),
  };
  summed.length = 0;
  const d = await evaluate(await testGpu(), given, ({ x, y, a, b, both }) =>
    gradients(sum(add(mul(addBias(addBias(x, a), both), y), addBias(addBias(y, b), both))), { a, b, both }),
  );
  const column = (c: number) => given.y.data[c]! + given.y.data[64 + c]!;
  expectClose(
    d.a,
    Float32Array.from({ length: 64 }, (_, c) => column(c)),
  );
  expectClose(d.b, new Float32Array(64).fill(2));
  expectClose(
    d.both,
    Float32Array.from({ length: 64 }, (_, c) => column(c) + 2),
  );
  expect(summed).toEqual([2, 1, 1]);
});

test("sums of what is computed once more wait for no others", async () => {
  const given = { x: random([2, 64]), a: random([64], 3), b: random([64], 4) };
  summed.length = 0;
  const d = await evaluate(await testGpu(), given, ({ x, a, b }) => {
    const again = (x: Tensor, bias: Tensor) => recomputed({ x, bias }, () => mul(addBias(x, bias), x));
    return gradients(sum(again(again(x, a), b)), { b, a });
  });
  // The second part's result is x^4.
  const powers = (power: number) =>
    Float32Array.from({ length: 64 }, (_, c) => given.x.data[c]! ** power + given.x.data[64 + c]! ** power);
  expectClose(d.b, powers(2));
  expectClose(
    d.a,
    powers(3).map((x) => 2 * x),
  );
  expect(summed).toEqual([1, 1]);
});

test("a sum that something was made of a parameter for flows back to it", async () => {
  const given = { x: random([2, 64]), a: random([64], 3) };
  const d = await evaluate(await testGpu(), given, ({ x, a }) => {
    const doubled = scale(a, 2);
    return gradients(sum(addBias(x, doubled)), { a, doubled });
  });
  expectClose(d.a, new Float32Array(64).fill(4));
  expectClose(d.doubled, new Float32Array(64).fill(2));
});

test("a matrix that meets rows of several lengths keeps its whole gradient", async () => {
  const [a, b, w] = [random([3, 4]), random([5, 4], 2), random([4, 2], 3)];
  const d = await evaluate(await testGpu(), { a, b, w }, ({ a, b, w }) =>
    gradients(add(sum(matmul(a, w)), sum(matmul(b, w)), sum(scale(w, 3))), { w }),
  );
  const column = (k: number) => [a, b].flatMap(({ data }) => [...data].filter((_, i) => i % 4 === k));
  expectClose(
    d.w,
    [0, 1, 2, 3].flatMap((k) => Array(2).fill(column(k).reduce((total, value) => total + value, 3))),
  );
});

test("a parameter that is itself on the way to another loss term keeps its whole gradient", async () => {
  const d = await gradientsOf((x, y) => {
    const product = mul(x, y);
    return gradients(sum(mul(product, product)), { x, product });
  });
  expectClose(
    d.product,
    x.data.map((value, i) => 2 * value * y.data[i]!),
  );
  expectClose(
    d.x,
    x.data.map((value, i) => 2 * value * y.data[i]! ** 2),
  );
});

test("stopGradient passes values and no gradient", async () => {
  const d = await gradientsOf((x, y) => {
    const loss = sum(mul(stopGradient(mul(x, y)), x));
    return { loss, ...gradients(loss, { x }) };
  });
  expectClose(
    d.x,
    x.data.map((value, i) => value * y.data[i]!),
  );
  expectClose(d.loss, [x.data.reduce((total, value, i) => total + value * value * y.data[i]!, 0)]);
});

test("the seed scales every gradient", async () => {
  const gpu = await testGpu();
  const seed = { shape: [], data: Float32Array.of(-4) };
  const d = await evaluate(gpu, { x, seed }, ({ x, seed }) => gradients(sum(mul(x, x)), { x }, { seed }));
  expectClose(
    d.x,
    x.data.map((value) => -8 * value),
  );
});

test("the tree of gradients has the form of the tree of parameters", async () => {
  const d = await gradientsOf((x, y) => gradients(sum(mul(x, y)), { layers: [{ a: x, absent: undefined }], b: y }));
  expectClose(d.layers[0]!.a, y.data);
  expectClose(d.b, x.data);
  expect(d.layers[0]!.absent).toBeUndefined();
});

test("an op without a gradient is an error that names the op and the shapes", async () => {
  const rounded = (x: Tensor) => {
    const y = stopGradient(x);
    x.trace.nodes.pop();
    withoutGradient("round", [y], [x]);
    return y;
  };
  await expect(gradientsOf((x, y) => gradients(sum(mul(rounded(x), y)), { x }))).rejects.toThrow(
    /gradients: round has no gradient.*f32\[3\].*stopGradient/,
  );
  // It is no concern of a parameter that the loss does not reach through it.
  const d = await gradientsOf((x, y) => gradients(sum(mul(rounded(x), y)), { y }));
  expectClose(d.y, x.data);
});

test("a parameter that the loss does not depend on is an error that names its path", async () => {
  await expect(gradientsOf((x, y) => gradients(sum(x), { blocks: [{ weight: x, unused: y }] }))).rejects.toThrow(
    'gradients: the loss does not depend on "blocks.0.unused"',
  );
  await expect(gradientsOf((x) => gradients(sum(stopGradient(x)), { x }))).rejects.toThrow('depend on "x"');
});

test("a formula that ignores an input gives it no gradient", async () => {
  await expect(gradientsOf((x, y) => gradients(sum(map("first", [x, y], (x) => x)), { y }))).rejects.toThrow(
    'gradients: the loss does not depend on "y"',
  );
});

test("a loss that is no scalar is an error", async () => {
  await expect(gradientsOf((x) => gradients(x, { x }))).rejects.toThrow(
    "gradients: needs a scalar loss, got shape [3]",
  );
});
