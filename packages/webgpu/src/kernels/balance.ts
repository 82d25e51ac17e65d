import { kernel } from "../kernel";

/**
 * With p[e] = sum over chunks of sums[chunk,e] and f[e] = load[e] / (sum of load * tokens[0]):
 * slope[e] = experts * f[e], loss[0] = sum over e of slope[e] * p[e]
 */
export const balance = kernel({
  name: "balance",
  buffers: { sums: "read", load: "read", tokens: "read", loss: "write", slope: "write" },
  sizes: { experts: "u32", chunks: "u32" },
  source: () => ({
    form: "rows",
    rows: 1,
    wgsl: /* wgsl */ `
fn run(row: u32) {
  var assignments = 0.0;
  for (var e = first(); e < sizes.experts; e += step()) { assignments += load[e]; }
  let scale = f32(sizes.experts) / max(1.0, rowSum(assignments) * tokens[0]);
  var total = 0.0;
  for (var e = first(); e < sizes.experts; e += step()) {
    var probability = 0.0;
    for (var chunk = 0u; chunk < sizes.chunks; chunk++) { probability += sums[chunk * sizes.experts + e]; }
    slope[e] = scale * load[e];
    total += scale * load[e] * probability;
  }
  total = rowSum(total);
  if (isFirst()) { loss[0] = total; }
}`,
  }),
});
