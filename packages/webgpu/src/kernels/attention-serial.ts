// Attention without barriers: one invocation a query, or a key, that walks the other side alone, four rows at a time.
// Neighbouring invocations have neighbouring positions of one head, so that they read the same rows at the same time.
// Sums live in the result's memory instead of private arrays: a software adapter compiles short loops in a fraction of a
// second where unrolled arrays took it minutes for wide heads, and all widths share one pipeline.

import type { KernelSource } from "../kernel";
import type { AttentionSizes } from "./attention-shape";
import { plainWeights } from "./attention-weights";

export { droppedWeights } from "./attention-weights";

const addresses = /* wgsl */ `
fn partAt(token: vec4u, part: u32, head: u32) -> vec4u { return ((token * 3u + part) * sizes.heads + head) * sizes.headDim; }
fn outAt(token: vec4u, head: u32) -> vec4u { return (token * sizes.heads + head) * sizes.headDim; }
fn qkvOf(at: vec4u, d: u32) -> vec4f { return vec4f(qkv[at.x + d], qkv[at.y + d], qkv[at.z + d], qkv[at.w + d]); }`;

const doutOf = /* wgsl */ `
fn doutOf(at: vec4u, d: u32) -> vec4f { return vec4f(dout[at.x + d], dout[at.y + d], dout[at.z + d], dout[at.w + d]); }`;

const start = /* wgsl */ `
  let head = (i / sizes.context) % sizes.heads;
  let own = i % sizes.context;
  let begin = (i / (sizes.context * sizes.heads)) * sizes.context;
  let scale = 1.0 / sqrt(f32(sizes.headDim));`;

function source({ batch, context, heads }: AttentionSizes, wgsl: string): KernelSource {
  return { form: "items", items: batch * heads * context, wgsl };
}

/** One invocation a query: walks the keys up to its own. */
export function forward(shape: AttentionSizes, weights = plainWeights): KernelSource {
  return source(
    shape,
    /* wgsl */ `${weights.functions}${addresses}
fn run(i: u32) {${start}
  let q = partAt(vec4u(begin + own), 0u, head).x;
  let at = outAt(vec4u(begin + own), head).x;
  for (var d = 0u; d < sizes.headDim; d++) { out[at + d] = 0.0; }
  var largest = -1e30;
  var total = 0.0;
  for (var first = 0u; first <= own; first += 4u) {
    let rows = first + vec4u(0u, 1u, 2u, 3u);
    let tokens = begin + min(rows, vec4u(own));
    let keys = partAt(tokens, 1u, head);
    let values = partAt(tokens, 2u, head);
    var scores = vec4f();
    for (var d = 0u; d < sizes.headDim; d++) { scores += qkv[q + d] * qkvOf(keys, d); }
    scores = select(vec4f(-1e30), scores * scale, rows <= vec4u(own));
    let bound = max(largest, max(max(scores.x, scores.y), max(scores.z, scores.w)));
    let shrink = exp(largest - bound);
    let p = exp(scores - bound);
    largest = bound;
    total = total * shrink + dot(p, vec4f(1.0));
    let weights = ${weights.four("p", "vec4u(i)", "rows")};
    for (var d = 0u; d < sizes.headDim; d++) { out[at + d] = out[at + d] * shrink + dot(weights, qkvOf(values, d)); }
  }
  for (var d = 0u; d < sizes.headDim; d++) { out[at + d] /= total; }
  lse[i] = largest + log(total);
}`,
  );
}

/** One invocation a query: walks the keys up to its own. */
export function backwardQuery(shape: AttentionSizes, weights = plainWeights): KernelSource {
  return source(
    shape,
    /* wgsl */ `${weights.functions}${addresses}
fn run(i: u32) {${start}
  let q = partAt(vec4u(begin + own), 0u, head).x;
  let g = outAt(vec4u(begin + own), head).x;
  var rowDelta = 0.0;
  for (var d = 0u; d < sizes.headDim; d++) {
    rowDelta += out[g + d] * dout[g + d];
    dqkv[q + d] = 0.0;
  }
  delta[i] = rowDelta;
  for (var first = 0u; first <= own; first += 4u) {
    let rows = first + vec4u(0u, 1u, 2u, 3u);
    let tokens = begin + min(rows, vec4u(own));
    let keys = partAt(tokens, 1u, head);
    let values = partAt(tokens, 2u, head);
    var scores = vec4f();
    var dp = vec4f();
    for (var d = 0u; d < sizes.headDim; d++) {
      scores += qkv[q + d] * qkvOf(keys, d);
      dp += dout[g + d] * qkvOf(values, d);
    }
    let p = select(vec4f(), exp(scores * scale - lse[i]), rows <= vec4u(own));
    let ds = p * (${weights.four("dp", "vec4u(i)", "rows")} - rowDelta) * scale;
    for (var d = 0u; d < sizes.headDim; d++) { dqkv[q + d] += dot(ds, qkvOf(keys, d)); }
  }
}`,
  );
}

/** One invocation a key: walks the queries from its own on. */
export function backwardKeyValue(shape: AttentionSizes, weights = plainWeights): KernelSource {
  return source(
    shape,
    /* wgsl */ `${weights.functions}${addresses}
${doutOf}
fn run(i: u32) {${start}
  let k = partAt(vec4u(begin + own), 1u, head).x;
  let v = partAt(vec4u(begin + own), 2u, head).x;
  let statistics = i - own;
  let last = sizes.context - 1u;
  for (var d = 0u; d < sizes.headDim; d++) {
    dqkv[k + d] = 0.0;
    dqkv[v + d] = 0.0;
  }
  for (var first = own; first < sizes.context; first += 4u) {
    let rows = first + vec4u(0u, 1u, 2u, 3u);
    let inside = min(rows, vec4u(last));
    let queries = partAt(begin + inside, 0u, head);
    let gradients = outAt(begin + inside, head);
    var scores = vec4f();
    var dp = vec4f();
    for (var d = 0u; d < sizes.headDim; d++) {
      scores += qkv[k + d] * qkvOf(queries, d);
      dp += qkv[v + d] * doutOf(gradients, d);
    }
    let s = statistics + inside;
    let p = select(vec4f(), exp(scores * scale - vec4f(lse[s.x], lse[s.y], lse[s.z], lse[s.w])), rows <= vec4u(last));
    let slopes = ${weights.four("dp", "s", "vec4u(own)")};
    let ds = p * (slopes - vec4f(delta[s.x], delta[s.y], delta[s.z], delta[s.w])) * scale;
    let weights = ${weights.four("p", "s", "vec4u(own)")};
    for (var d = 0u; d < sizes.headDim; d++) {
      dqkv[k + d] += dot(ds, qkvOf(queries, d));
      dqkv[v + d] += dot(weights, doutOf(gradients, d));
    }
  }
}`,
  );
}
