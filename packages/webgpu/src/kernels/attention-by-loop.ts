/**
 * What the kernels of attention.ts compute, with a row of scores in hand: the reference of their tests. `kept` is what dropout
 * multiplies the weight of a query (among all rows) and a key by.
 */
export function attentionByLoop(
  qkv: Float32Array,
  dout: Float32Array,
  batch: number,
  context: number,
  heads: number,
  headDim: number,
  kept: (row: number, key: number) => number = () => 1,
) {
  const out = new Float64Array(dout.length);
  const lse = new Float64Array(batch * heads * context);
  const delta = new Float64Array(lse.length);
  const dqkv = new Float64Array(qkv.length);
  const scale = 1 / Math.sqrt(headDim);
  for (let b = 0; b < batch; b++) {
    for (let h = 0; h < heads; h++) {
      const part = (t: number, which: number) => (((b * context + t) * 3 + which) * heads + h) * headDim;
      for (let t = 0; t < context; t++) {
        const row = (b * heads + h) * context + t;
        const at = ((b * context + t) * heads + h) * headDim;
        const scores: number[] = [];
        for (let k = 0; k <= t; k++) {
          let score = 0;
          for (let d = 0; d < headDim; d++) score += qkv[part(t, 0) + d]! * qkv[part(k, 1) + d]!;
          scores.push(score * scale);
        }
        lse[row] = Math.log(scores.reduce((total, score) => total + Math.exp(score), 0));
        const p = scores.map((score) => Math.exp(score - lse[row]!));
        const dp = p.map((weight, k) => {
          let product = 0;
          for (let d = 0; d < headDim; d++) {
            out[at + d]! += weight * kept(row, k) * qkv[part(k, 2) + d]!;
            product += dout[at + d]! * qkv[part(k, 2) + d]!;
          }
          return product * kept(row, k);
        });
        for (let d = 0; d < headDim; d++) delta[row]! += out[at + d]! * dout[at + d]!;
        p.forEach((weight, k) => {
          const ds = weight * (dp[k]! - delta[row]!) * scale;
          for (let d = 0; d < headDim; d++) {
            dqkv[part(t, 0) + d]! += ds * qkv[part(k, 1) + d]!;
            dqkv[part(k, 1) + d]! += ds * qkv[part(t, 0) + d]!;
            dqkv[part(k, 2) + d]! += weight * kept(row, k) * dout[at + d]!;
          }
        });
      }
    }
  }
  return { out, lse, delta, dqkv };
}
