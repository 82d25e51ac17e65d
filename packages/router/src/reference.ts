// A router against values of a reference, kept as a safetensors file (tools/fixtures/make_router_fixtures.py).

import {
  add,
  constant,
  evaluate,
  gradients,
  key,
  leaves,
  map,
  mapTree,
  mul,
  reshape,
  sum,
  type Tensor,
  tokenOfAssignment,
} from "@webmoe/tensor";
import { parseSafetensors } from "@webmoe/tensor/files";
import { type GivenInput, relativeError } from "@webmoe/tensor/testing";
import { testGpu } from "@webmoe/webgpu/testing";
import type { AnyRouter, RouterShape } from "./router";
import { type Selection, softmaxTopK } from "./selector";

/** What `compareWithReference` is told besides the router and the file. */
export interface ReferenceOptions {
  /** Experts a token goes to; default 2. */
  topK?: number;
  /** Different tokens; default 11. */
  vocab?: number;
  /** Largest error of a tensor relative to its norm; default 1e-4. */
  tolerance?: number;
}

/** The parts of a file under one first name, in order: `x.0`, `x.1`, ... */
const numbered = (fixture: Map<string, GivenInput>, name: string) =>
  [...fixture].filter(([path]) => path.startsWith(`${name}.`)).map(([, input]) => input);

/**
 * Throw unless logits, weights [T, E] and losses of every layer, and the gradients of all parameters and inputs, are those
 * of the file. A gradient of zeros must be zeros.
 */
export async function compareWithReference(
  router: AnyRouter,
  file: Uint8Array,
  { topK = 2, vocab = 11, tolerance = 1e-4 }: ReferenceOptions = {},
): Promise<void> {
  const fixture = new Map<string, GivenInput>(
    [...parseSafetensors(file)].map(([name, { shape, values }]) => [
      name,
      { shape, data: name === "tokens" ? Uint32Array.from(values) : Float32Array.from(values) },
    ]),
  );
  const xs = numbered(fixture, "x");
  const [dim, experts] = [xs[0]!.shape[1]!, fixture.get("logits.0")!.shape[1]!];
  const shape: RouterShape = { dim, experts, layers: xs.length, topK, vocab };
  const initial = router.init(shape, key(0));
  const paths = new Set([...leaves(initial), ...xs.map((_, index) => [`x.${index}`] as const)].map(([path]) => path));
  const given = new Set([...fixture.keys()].filter((path) => /^(shared|layers|buffers|x)\./.test(path)));
  const odd = [...paths].find((path) => !given.has(path)) ?? [...given].find((path) => !paths.has(path));
  if (odd)
    throw new Error(`${router.name}: the tensors of router and reference must be the same, got "${odd}" in one only`);

  const actual = await evaluate(await testGpu(), Object.fromEntries(fixture), (handles) => {
    const at = (path: string) => handles[path] as Tensor;
    const { shared, layers, buffers } = mapTree<unknown, Tensor>(initial, (_, path) => at(path)) as never as {
      shared: unknown;
      layers: unknown[];
      buffers: unknown;
    };
    const mask = at("mask");
    let carry: unknown;
    const results = xs.map((_, index) => {
      const input = { index, tokens: handles.tokens as unknown as Tensor<"u32">, mask, buffers, training: true };
      const scores = router.score({ ...input, x: at(`x.${index}`), shared, layer: layers[index], carry });
      carry = scores.carry;
      const selection = (router.select ?? softmaxTopK())({ ...input, logits: scores.logits, topK });
      const losses = Object.values(scores.losses ?? {});
      return { logits: scores.logits, weights: denseWeights(selection, experts), losses };
    });
    const losses = add(constant(mask.trace, [], 0), ...results.flatMap((result) => result.losses));
    const terms = results.flatMap(({ logits, weights }, index) => [
      sum(at(`x.${index}`)),
      sum(mul(logits, at(`cotangent.${index}`))),
      sum(mul(weights, at(`weightCotangent.${index}`))),
    ]);
    const learned = Object.fromEntries(
      [...paths].filter((path) => !path.startsWith("buffers.")).map((path) => [path, at(path)]),
    );
    return {
      ...Object.fromEntries(results.flatMap(({ logits }, index) => [[`logits.${index}`, logits]])),
      ...Object.fromEntries(results.flatMap(({ weights }, index) => [[`weights.${index}`, weights]])),
      losses,
      gradients: gradients(add(losses, ...terms), learned),
    };
  });
  const { gradients: computed, ...values } = actual as unknown as Record<string, Float32Array> & {
    gradients: Record<string, Float32Array>;
  };
  const named = { ...values, ...Object.fromEntries(Object.entries(computed).map(([path, d]) => [`d.${path}`, d])) };
  for (const [name, value] of Object.entries(named)) {
    const expected = fixture.get(name)!.data;
    const zeros = expected.every((element) => element === 0);
    const error = zeros ? Math.max(...value.map(Math.abs)) : relativeError(value, expected);
    if (!(error <= tolerance)) {
      throw new Error(
        `${router.name}: ${name} must agree with the reference to ${tolerance}, got an error of ${error}`,
      );
    }
  }
}

/** The weight of every expert for every token, [T, E]; 0 where it is not chosen. */
export function denseWeights({ expert, weight, token, probabilities }: Selection, experts: number): Tensor {
  const tokens = probabilities.shape[0]!;
  const each = token.size / tokens;
  const columns = tokenOfAssignment(constant(weight.trace, [experts], 0), 1); // [E]: 0, 1, ...
  const spread = map(
    "spread",
    [reshape(expert, [tokens, each, 1]), columns, reshape(weight, [tokens, each, 1])],
    (expert, column, weight) => expert.sub(column).abs().less(0.5).mul(weight),
  );
  return reshape(sum(spread, 1, 2), [tokens, experts]);
}
