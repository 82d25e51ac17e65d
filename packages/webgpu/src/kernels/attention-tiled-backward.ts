// Gradients of attention in tiles; attention-tiled.ts says how.

import type { KernelSource } from "../kernel";
import type { AttentionSizes } from "./attention-shape";
import {
  eachProduct,
  eachResult,
  eachScore,
  load,
  outOf,
  partOf,
  result,
  scores,
  source,
  tilesWithin,
} from "./attention-tiles";
import { plainWeights } from "./attention-weights";

/** Tiles of queries or keys that are owned, and of the others that pass by. */
const SIDES: [number, number][] = [
  [32, 16],
  [16, 16],
  [8, 16],
];

/** A workgroup owns queries; keys and values pass by. */
export function backwardQuery(shape: AttentionSizes, memory: number, weights = plainWeights): KernelSource | undefined {
  const fitting = tilesWithin(memory, shape.headDim, SIDES, ({ owned, passing, stride, scoreStride }) => ({
    q: owned * stride,
    g: owned * stride,
    k: passing * stride,
    v: passing * stride,
    ds: owned * scoreStride,
  }));
  if (!fitting) return undefined;
  const { t, arrays } = fitting;
  return source(
    shape,
    t,
    weights.functions,
    arrays,
    /* wgsl */ `
  if (lane < ${t.owned}u && first + lane < sizes.context) {
    let at = outAt(first + lane, group.y);
    var product = 0.0;
    for (var d = 0u; d < ${t.headDim}u; d++) { product += out[at + d] * dout[at + d]; }
    delta[group.y * sizes.context + first + lane] = product;
  }
  storageBarrier();
  ${load("q", "qkv", partOf(0), t.owned, "first", t)}
  ${load("g", "dout", outOf, t.owned, "first", t)}
  ${result("dq", t)}
  let last = min(first + ${t.owned}u, sizes.context);
  for (var begin = 0u; begin < last; begin += ${t.passing}u) {
    workgroupBarrier();
    ${load("k", "qkv", partOf(1), t.passing, "begin", t)}
    ${load("v", "qkv", partOf(2), t.passing, "begin", t)}
    workgroupBarrier();
    ${scores("s", "q", "k", t)}
    ${scores("dp", "g", "v", t)}
    ${eachScore(
      t,
      `var value = 0.0;
        if (passingRow <= ownedRow && ownedRow < sizes.context) {
          let statistics = group.y * sizes.context + ownedRow;
          let slope = ${weights.one("dp[i][j]", "statistics", "passingRow")};
          value = exp(s[i][j] * scale - lse[statistics]) * (slope - delta[statistics]) * scale;
        }
        ds[at] = value;`,
    )}
    workgroupBarrier();
    ${eachProduct(t, "let weight = ds[at];", "dq[i][j] = fma(weight, k[d], dq[i][j]);")}
  }
  ${eachResult(t, "dqkv[partAt(0u, row, group.y) + d] = dq[i][j];")}`,
  );
}

/** A workgroup owns keys and values; queries pass by, from the first one that sees the tile. */
export function backwardKeyValue(
  shape: AttentionSizes,
  memory: number,
  weights = plainWeights,
): KernelSource | undefined {
  const fitting = tilesWithin(memory, shape.headDim, SIDES, ({ owned, passing, stride, scoreStride }) => ({
    k: owned * stride,
    v: owned * stride,
    q: passing * stride,
    g: passing * stride,
    p: owned * scoreStride,
    ds: owned * scoreStride,
  }));
  if (!fitting) return undefined;
  const { t, arrays } = fitting;
  return source(
    shape,
    t,
    weights.functions,
    arrays,
    /* wgsl */ `
  ${load("k", "qkv", partOf(1), t.owned, "first", t)}
  ${load("v", "qkv", partOf(2), t.owned, "first", t)}
  ${result("dk", t)}
  ${result("dv", t)}
  for (var begin = (first / ${t.passing}u) * ${t.passing}u; begin < sizes.context; begin += ${t.passing}u) {
    workgroupBarrier();
    ${load("q", "qkv", partOf(0), t.passing, "begin", t)}
    ${load("g", "dout", outOf, t.passing, "begin", t)}
    workgroupBarrier();
    ${scores("s", "k", "q", t)}
    ${scores("dp", "v", "g", t)}
    ${eachScore(
      t,
      `var probability = 0.0;
        var value = 0.0;
        if (ownedRow <= passingRow && passingRow < sizes.context) {
          let statistics = group.y * sizes.context + passingRow;
          let weight = exp(s[i][j] * scale - lse[statistics]);
          let slope = ${weights.one("dp[i][j]", "statistics", "ownedRow")};
          value = weight * (slope - delta[statistics]) * scale;
          probability = ${weights.one("weight", "statistics", "ownedRow")};
        }
        p[at] = probability;
        ds[at] = value;`,
    )}
    workgroupBarrier();
    ${eachProduct(
      t,
      "let weight = p[at]; let slope = ds[at];",
      "dv[i][j] = fma(weight, g[d], dv[i][j]); dk[i][j] = fma(slope, q[d], dk[i][j]);",
    )}
  }
  ${eachResult(t, "dqkv[partAt(1u, row, group.y) + d] = dk[i][j]; dqkv[partAt(2u, row, group.y) + d] = dv[i][j];")}`,
  );
}
