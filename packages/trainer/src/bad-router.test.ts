import { languageModel } from "@webmoe/model";
import { linear, linearWeight } from "@webmoe/nn";
import { type AnyRouter, defineRouter, type ScoreInput, sigmoidTopK } from "@webmoe/router";
import { constant, fold, type Init, map, reshape, type Tensor, tokenOfAssignment } from "@webmoe/tensor";
import { openGpu } from "@webmoe/webgpu/node";
import { expect, test } from "vitest";
import { trainSettings } from "./settings";
import { train } from "./train";

const moe = { experts: 4, topK: 2, hidden: 8, balanceLoss: 0.01, zLoss: 0 };
const sizes = { vocab: 256, dim: 16, layers: 3, heads: 2, context: 8, moe };
const text = new TextEncoder().encode("It was the best of times, it was the worst of times. ".repeat(9));

/** A linear gate, but for how it scores; with as many layers as it says. */
function routerThat(score: (logits: Tensor, input: ScoreInput<object, Init, Tensor, undefined>) => object, count = 3) {
  return defineRouter<object, Init, Tensor>({
    name: "bad",
    init: ({ dim, experts }, key) => ({
      shared: {},
      layers: Array.from({ length: count }, (_, index) => linearWeight([experts, dim], fold(key, `${index}`))),
    }),
    score: (input) => score(linear(input.x, input.layer), input as never) as never,
  });
}

async function trainWith(router: AnyRouter, changes: object = {}) {
  const settings = trainSettings({ train: { steps: 3, onNan: "stop" }, batch: { size: 2 }, ...changes });
  const model = languageModel(sizes, router);
  const data = { train: text, validation: text };
  const open = () => openGpu({ adapter: process.env.WEBMOE_TEST_ADAPTER });
  for await (const _ of train({ open, model, settings, data }));
}

/** Scores of -inf, which is ln 0, for all experts but the last of them. */
const ruleOut = (scores: Tensor, left: number) => {
  const columns = tokenOfAssignment(constant(scores.trace, [scores.shape[1]!], 0), 1); // [E]: 0, 1, ...
  return map("ruleOut", [scores, columns], (score, column) =>
    score.add(
      column
        .less(4 - left)
        .mul(-1)
        .add(1)
        .log(),
    ),
  );
};

/** ln of a negative number, for every element. */
const noNumber = (x: Tensor) => map("noNumber", [x], (x) => x.mul(x).add(1).mul(-1).log());

test.each<[string, AnyRouter, string]>([
  [
    "scores of the wrong shape",
    routerThat((logits, { index }) => ({ logits: index === 1 ? reshape(logits, [8, 8]) : logits })),
    'router "bad" at MoE layer 1: score needs to return logits [16, 4] (tokens, experts), got [8, 8]',
  ],
  [
    "no scores",
    routerThat(() => ({})),
    'router "bad" at MoE layer 0: score needs to return logits [16, 4] (tokens, experts), got undefined',
  ],
  [
    "scores that are no numbers in a layer",
    routerThat((logits, { index }) => ({ logits: index === 1 ? noNumber(logits) : logits })),
    'it began in layer 1, in its router: the scores [16, 4] (tokens, experts) of "bad"',
  ],
  [
    "scores that are no numbers in the first layer",
    routerThat((logits) => ({ logits: noNumber(logits) })),
    'it began in layer 0, in its router: the scores [16, 4] (tokens, experts) of "bad"',
  ],
  [
    "scores that rule out all experts but one in a layer",
    routerThat((logits, { index }) => ({ logits: index === 1 ? ruleOut(logits, 1) : logits })),
    'it began in layer 1, in its router: the scores [16, 4] (tokens, experts) of "bad" leave fewer than 2 experts (moe.topK) to 16 tokens',
  ],
  [
    "scores that rule out all experts",
    routerThat((logits) => ({ logits: ruleOut(logits, 0) })),
    'it began in layer 0, in its router: the scores [16, 4] (tokens, experts) of "bad" leave fewer than 2 experts (moe.topK) to 16 tokens',
  ],
  [
    "a choice by sigmoids from scores that leave one expert",
    { ...routerThat((logits) => ({ logits: ruleOut(logits, 1) })), select: sigmoidTopK() },
    'it began in layer 0, in its router: the scores [16, 4] (tokens, experts) of "bad" leave fewer than 2 experts (moe.topK) to 16 tokens',
  ],
  [
    "a state that changes its shape",
    routerThat((logits, { index }) => ({ logits, carry: index === 1 ? reshape(logits, [64]) : logits })),
    'router "bad" at MoE layer 1: the carry needs the shape it has at every layer, got [64] after [16, 4]',
  ],
  [
    "too few layers",
    routerThat((logits) => ({ logits }), 2),
    'router "bad": init needs to return layers for 3 MoE layers, got 2',
  ],
])("%s: an error of one line that says where", async (_, router, message) => {
  const error = await trainWith(router).then(
    () => undefined,
    (error: Error) => error.message,
  );
  expect(error).toContain(message);
  expect(error).not.toContain("\n");
});

test("a short run of which no step was good says so at its end", async () => {
  const router = routerThat((logits, { index }) => ({ logits: index === 1 ? noNumber(logits) : logits }));
  await expect(trainWith(router, { train: { steps: 3 } })).rejects.toThrow(
    /the loss is NaN 3 steps in a row, from step 1 on: it began in layer 1, in its router/,
  );
});

test("a router may rule out experts as long as enough are left", () =>
  trainWith(routerThat((logits) => ({ logits: ruleOut(logits, 2) }))));

test("more experts a token than there are, and room for none, are refused with both numbers", () => {
  const router = routerThat((logits) => ({ logits }));
  expect(() => languageModel({ ...sizes, moe: { ...moe, topK: 5 } }, router)).toThrow(
    "moe.topK: needs at most moe.experts (4), got 5",
  );
  expect(() => languageModel({ ...sizes, moe: { ...moe, capacity: 0 } }, router)).toThrow(
    "moe.capacity: needs more than 0, which would drop every token (1 is an even share), got 0",
  );
});
