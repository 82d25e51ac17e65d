// The kernels that training spends its time in, and those that write a token, at sizes of the presets `small` and `base`, or at small
// ones on software adapters. Each case is a piece of a model, of training with its gradients; its dispatches are timed one by one.

import {
  adamwUpdate,
  assignmentLinear,
  assignmentSum,
  cachedAttention,
  causalAttention,
  combineExperts,
  constantInit,
  expertLinear,
  gated,
  globalNorm,
  gradients,
  groupByExpert,
  type Init,
  matmul,
  mul,
  reshape,
  rmsNorm,
  rope,
  softmax,
  sum,
  type Tensor,
  tokenOfAssignment,
  topK,
  valuesInit,
} from "@webmoe/tensor";
import { random } from "./peaks";
import type { TimedProgram } from "./time-program";

/** A program, and whose time in it is wanted. */
export interface KernelCase extends TimedProgram {
  name: string;
  /** Names of kernels; what else the program needs is left out. */
  kernels: RegExp;
}

/** Every case, at sizes for a software adapter or for a GPU. */
export function kernelCases(software: boolean): KernelCase[] {
  const size = (onGpu: number, onSoftware: number) => (software ? onSoftware : onGpu);
  const tokens = size(8192, 128);
  const dim = size(512, 64);
  const experts = { tokens, dim, hidden: size(704, 64), experts: size(16, 4) };
  return [
    product("square product", size(4096, 128), size(4096, 128), size(4096, 128)),
    product("qkv projection", tokens, 3 * dim, dim),
    product("output projection", tokens, dim, dim),
    // The work of all experts as one product each, to see what sorting by expert costs.
    product("dense first layer", 2 * tokens, 2 * experts.hidden, dim),
    product("dense second layer", 2 * tokens, dim, experts.hidden),
    expertCase("even experts", inTurn(tokens, experts.experts), experts),
    expertCase("experts at random", random([tokens, experts.experts]), experts),
    expertCase("half of all rows at one expert", oneFirst(tokens, experts.experts), experts),
    attention(size(8, 2), size(1024, 32), size(12, 2), size(64, 16)),
    rowCase("norm", /^rmsNorm|columnSum/, { x: [tokens, dim], weight: [dim] }, ({ x, weight }) => rmsNorm(x!, weight!)),
    rowCase("gate of experts", /^gated/, { x: [2 * tokens, 2 * experts.hidden] }, ({ x }) => gated(x!)),
    rowCase("softmax", /^softmax/, { x: [tokens, dim] }, ({ x }) => softmax(x!)),
    rowCase("rotary embedding", /^rope/, { x: [tokens / size(512, 32), size(512, 32), 3, dim / 16, 16] }, ({ x }) =>
      rope(x!),
    ),
    optimizer(size(2 ** 26, 2 ** 16)),
    oneToken({ ...experts, experts: 2, heads: size(8, 2), context: size(4096, 64) }),
  ];
}

/** y = x w^T, w [n, k], and both its gradients. */
function product(name: string, m: number, n: number, k: number): KernelCase {
  return rowCase(name, /^matmul|packHalves|columnSum/, { x: [m, k], w: [n, k] }, ({ x, w }) =>
    matmul(x!, w!, { transposeB: true }),
  );
}

/** Scores by which every expert gets as many tokens: the first token goes to the first two, the second to the next two. */
function inTurn(tokens: number, experts: number): Init {
  const scores = new Float32Array(tokens * experts);
  for (let token = 0; token < tokens; token++) {
    for (const choice of [0, 1]) scores[token * experts + ((2 * token + choice) % experts)] = 1;
  }
  return valuesInit([tokens, experts], scores);
}

/** Scores by which every token goes to the first expert and, the tokens in turn, to one of the others. */
function oneFirst(tokens: number, experts: number): Init {
  const scores = new Float32Array(tokens * experts);
  for (let token = 0; token < tokens; token++) {
    scores[token * experts] = 1;
    scores[token * experts + 1 + (token % (experts - 1))] = 1;
  }
  return valuesInit([tokens, experts], scores);
}

/** SwiGLU experts over tokens that each go to the two with the best scores. */
function expertCase(
  name: string,
  scores: Init,
  { tokens, dim, hidden, experts }: Record<"tokens" | "dim" | "hidden" | "experts", number>,
): KernelCase {
  return {
    name,
    kernels: /^grouped|^addSpares|^expert|^combine|^packHalves/,
    state: {
      x: random([tokens, dim]),
      first: random([experts, 2 * hidden, dim]),
      second: random([experts, dim, hidden]),
      scores,
      weight: constantInit([2 * tokens], 0.5),
      dy: random([tokens, dim]),
    },
    body: ({ x, first, second, scores, weight, dy }) => {
      const chosen = topK(scores!, 2);
      const groups = groupByExpert(tokenOfAssignment(x!, 2), reshape(chosen, [2 * tokens]), experts);
      const inner = gated(expertLinear(x!, first!, groups, { gather: true }));
      const y = combineExperts(expertLinear(inner, second!, groups), weight!, groups, tokens);
      return Object.values(gradients(sum(mul(y, dy!)), { x: x!, first: first!, second: second! }));
    },
  };
}

/** What a token that is written by itself goes through in a block, at the last position of its context; its experts are all there are. */
function oneToken(sizes: Record<"dim" | "hidden" | "experts" | "heads" | "context", number>): KernelCase {
  const { dim, hidden, experts, heads, context } = sizes;
  return {
    name: "one token",
    kernels: /^matmul|^assignment|^cache|^mergeRanges/,
    state: {
      x: random([1, dim]),
      qkv: random([3 * dim, dim], 2),
      cache: random([context, 2, heads, dim / heads], 3),
      places: valuesInit(
        [1, context],
        Float32Array.from({ length: context }, (_, place) => place),
      ),
      scores: random([1, experts], 4),
      first: random([experts, 2, hidden, dim], 5),
      second: random([experts, dim, hidden], 6),
      weight: constantInit([2], 0.5),
    },
    body: ({ x, qkv, cache, places, scores, first, second, weight }) => {
      const projected = reshape(matmul(x!, qkv!, { transposeB: true }), [1, 3, heads, dim / heads]);
      const attended = reshape(cachedAttention(projected, cache!, reshape(topK(places!, 1), [1])), [1, dim]);
      const chosen = reshape(topK(scores!, 2), [2]);
      return [assignmentSum(assignmentLinear(attended, first!, chosen, "silu"), second!, chosen, weight!, 1)];
    },
  };
}

function attention(batch: number, context: number, heads: number, headDim: number): KernelCase {
  return rowCase("attention", /^attention/, { qkv: [batch, context, 3, heads, headDim] }, ({ qkv }) =>
    causalAttention(qkv!),
  );
}

/** An op of tensors of given shapes, and the gradients of all of them. */
function rowCase(
  name: string,
  kernels: RegExp,
  shapes: Record<string, number[]>,
  op: (inputs: Record<string, Tensor>) => Tensor,
): KernelCase {
  const names = Object.keys(shapes);
  return {
    name,
    kernels,
    state: Object.fromEntries(names.map((name, index) => [name, random(shapes[name]!, index + 1)])),
    body: (state) => {
      const y = op(state);
      // A gradient of y that is as random as y itself: sum(y * y) / 2 has it.
      const found = gradients(sum(mul(y, y)), state);
      return names.map((name) => found[name]!);
    },
  };
}

function optimizer(parameters: number): KernelCase {
  const flat = (value: number) => constantInit([parameters], value);
  const one = constantInit([1], 1);
  return {
    name: "optimizer",
    kernels: /^adamw$|^sumOfSquares/,
    state: {
      p: random([parameters]),
      g: random([parameters], 2),
      m: flat(0),
      v: flat(1),
      lr: one,
      corrections: constantInit([2], 1),
    },
    body: ({ p, g, m, v, lr, corrections }) => {
      const { norm, coefficient } = globalNorm([g!], 1);
      const given = { p: p!, g: g!, m: m!, v: v!, lr: lr!, coefficient, corrections: corrections! };
      adamwUpdate({ ...given, options: { rate1: 0.1, rate2: 0.05, eps: 1e-8, decay: 0.1 } });
      return [p!, reshape(norm, [1])];
    },
  };
}
