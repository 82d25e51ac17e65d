import { Expression, map, type Tensor } from "@webmoe/tensor";

/** x Phi(x), with the error function to 1.5e-7 (Abramowitz and Stegun 1964, 7.1.26). */
export function gelu(x: Tensor): Tensor {
  return map("gelu", [x], (x) => {
    const z = x.abs().mul(Math.SQRT1_2);
    const t = Expression.constant(1).div(z.mul(0.3275911).add(1));
    const series = [1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592].reduce<Expression>(
      (sum, coefficient) => sum.mul(t).add(coefficient),
      Expression.constant(0),
    );
    const tail = series.mul(t).mul(z.mul(z).neg().exp()); // 1 - erf(z)
    const erf = Expression.constant(1).sub(tail);
    return x.mul(x.less(0).select(erf.neg(), erf).add(1)).mul(0.5);
  });
}
