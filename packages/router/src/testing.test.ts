import { linear } from "@webmoe/nn";
import {
  add,
  constant,
  constantInit,
  exp,
  type Init,
  log,
  map,
  mul,
  normal,
  reshape,
  scale,
  stopGradient,
  sum,
  type Tensor,
  tanh,
  tokenOfAssignment,
} from "@webmoe/tensor";
import { describe, expect, test } from "vitest";
import { type AnyRouter, defineRouter, type ScoreInput } from "./router";
import { sigmoidTopK } from "./selections";
import { softmaxTopK } from "./selector";
import { checkRouter } from "./testing";

type Layer = { weight: Init; mix: Init };
type Input = ScoreInput<Record<string, never>, Layer, Tensor, undefined>;

/** A router with a carry that keeps every promise: logits = tanh(x W^T + c M^T), which is also the carry. */
const sound = defineRouter<Record<string, never>, Layer, Tensor>({
  name: "sound",
  init: ({ dim, experts, layers }, key) => ({
    shared: {},
    layers: Array.from({ length: layers }, () => ({
      weight: normal([experts, dim], 0.5, key),
      mix: normal([experts, experts], 0.5, key),
    })),
  }),
  score: (input) => scoreWith(input, (logits) => logits),
});

function scoreWith({ x, layer, carry }: Input, change: (logits: Tensor) => Tensor) {
  const state = carry ?? constant(x.trace, [x.shape[0]!, layer.mix.shape[0]!], 0.1);
  const next = tanh(add(linear(x, layer.weight), linear(state, layer.mix)));
  return { logits: change(next), carry: next };
}

const broken = (score: (input: Input) => ReturnType<typeof sound.score>, more: Partial<AnyRouter> = {}): AnyRouter => ({
  ...sound,
  name: "broken",
  score,
  ...more,
});

test("a sound router passes", () => checkRouter(sound));

/** Scores of -inf for the first of the experts. */
const ruleOut = (scores: Tensor, count: number) => {
  const columns = tokenOfAssignment(constant(scores.trace, [scores.shape[1]!], 0), 1); // [E]: 0, 1, ...
  return map("ruleOut", [scores, columns], (score, column) => score.add(column.less(count).mul(-1).add(1).log()));
};

test("so does one that rules out no more experts than it may", () =>
  checkRouter(broken((input) => scoreWith(input, (scores) => ruleOut(scores, 2)))));

let calls = 0;
let kept: Tensor | undefined;

describe.each<[string, AnyRouter, string | RegExp]>([
  [
    "too few layers",
    broken(sound.score, { init: (shape, key) => ({ ...sound.init({ ...shape, layers: 1 }, key) }) }),
    "init must give parameters for 3 layers, got 1",
  ],
  [
    "another seed at every init",
    broken(sound.score, { init: (shape, key) => sound.init(shape, [key[0], key[1] + calls++]) }),
    "one seed must give the same initial values twice",
  ],
  [
    "logits of another shape",
    broken((input) => scoreWith(input, (logits) => reshape(logits, [logits.size]))),
    "logits of layer 0 must have shape [6, 4], got [24]",
  ],
  [
    "scores that are not finite",
    broken((input) => scoreWith(input, (x) => log(scale(exp(x), -1)))),
    "scores must be finite, got NaN at layer 0",
  ],
  [
    "scores that rule out too many experts in a layer",
    broken((input) => scoreWith(input, (scores) => ruleOut(scores, input.index === 1 ? 3 : 2))),
    "scores must leave every token 2 experts (topK) that are not -Infinity: those of layer 1, [6, 4] (tokens, experts), leave 1 to token 0",
  ],
  [
    "and a selector from which too few are left",
    broken((input) => scoreWith(input, (scores) => ruleOut(scores, 3)), { select: sigmoidTopK() }),
    "weights must be finite, got NaN (layer 0)",
  ],
  [
    "another result at every call",
    broken((input) => scoreWith(input, (x) => scale(x, 1 + calls++))),
    "one input must give one result: token 0 of layer 0 scores",
  ],
  [
    "NaN for zeros",
    broken((input) => {
      const norm = map("norm", [reshape(sum(mul(input.x, input.x), 1, 2), [input.x.shape[0]!, 1])], (s) => s.sqrt());
      return scoreWith(input, (logits) => map("cosine", [logits, norm, norm], (y, n, m) => y.mul(n).div(m)));
    }),
    "scores of tokens that are zeros must be finite, got NaN at layer 0",
  ],
  [
    "scores by position",
    broken((input) => {
      const positions = reshape(tokenOfAssignment(input.x, 1), [input.x.shape[0]!, 1]);
      return scoreWith(input, (logits) => add(logits, positions));
    }),
    "permuting tokens must permute their scores: token",
  ],
  [
    "scores that depend on the other tokens",
    broken((input) => scoreWith(input, (logits) => add(logits, scale(sum(logits, 0, 1), 0.1)))),
    "parts of a batch must get the scores of the whole: token 0 of layer 0",
  ],
  [
    "a carry that must be there at the first layer",
    broken((input) => scoreWith({ ...input, carry: mul(input.carry!, input.carry!) }, (x) => x)),
    /score at layer 0, without a carry, got: /,
  ],
  [
    "a carry that nobody reads",
    broken((input) => scoreWith({ ...input, carry: undefined }, (x) => x)),
    "the carry must flow: no later layer's scores depend on what layer 0 returned",
  ],
  [
    "a carry by the back door",
    broken((input) => {
      const { logits, carry } = scoreWith({ ...input, carry: input.index === 0 ? undefined : kept }, (x) => x);
      kept = carry;
      return { logits };
    }),
    "later layers depend on layer 0, which returned no carry",
  ],
  [
    "a learned tensor that is never used",
    broken(({ x, layer, carry }) =>
      scoreWith({ x, carry, layer: { ...layer, mix: stopGradient(layer.mix) } } as Input, (x) => x),
    ),
    /the gradient must reach every learned tensor, but got: gradients: the loss does not depend on "layers.0.mix"/,
  ],
  [
    "a gradient that is zero",
    broken(({ x, layer, carry }) =>
      scoreWith(
        { x, carry, layer: { ...layer, mix: map("dead", [layer.mix], (m) => m.max(9).sub(8.9)) } } as Input,
        (x) => x,
      ),
    ),
    "the gradient must reach every learned tensor, but that of layers.0.mix is all zeros",
  ],
  [
    "a selector that sends padding to experts",
    broken(sound.score, {
      select: (input) => softmaxTopK()({ ...input, mask: map("all", [input.mask], (m) => m.max(1)) }),
    }),
    "padding must go to no expert, got",
  ],
  [
    "a selector that breaks its bound",
    broken(sound.score, { select: (input) => ({ ...softmaxTopK()(input), atMost: 3 }) }),
    "at most 3 assignments were promised, got 10 (layer 0)",
  ],
  [
    "probabilities that do not sum to 1",
    broken(sound.score, { select: (input) => ({ ...softmaxTopK()(input), probabilities: input.logits }) }),
    "probabilities of a token must sum to 1, or to 0 for padding, got",
  ],
  [
    "buffers that change shape",
    broken(sound.score, {
      init: (shape, key) => ({ ...sound.init(shape, key), buffers: { count: constantInit([2], 0) } }),
      afterStep: ({ load }) => ({ count: load }),
    }),
    'afterStep must return buffers of the shapes they had, got [3, 4] for "count"',
  ],
])("%s", (_, router, message) => {
  test("is found out", async () => {
    calls = 0;
    await expect(checkRouter(router)).rejects.toThrow(message);
    await expect(checkRouter(router)).rejects.toThrow("checkRouter(broken): ");
  });
});
