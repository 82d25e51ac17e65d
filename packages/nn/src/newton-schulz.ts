import { map, matmul, mul, sum, type Tensor } from "@webmoe/tensor";

/** Coefficients of x -> a x + b x^3 + c x^5, chosen to bring small singular values up fast rather than to meet 1 exactly. */
const [A, B, C] = [3.4445, -4.775, 2.0315];

/** Keeps a matrix of zeros at zero. */
const EPSILON = 1e-7;

/**
 * Matrices [N, rows, columns] with the same singular vectors and singular values near 1 (within about 0.7 to 1.2): `steps` of a
 * Newton-Schulz iteration on X = G / |G|, with S = X X^T: X = A X + (B S + C S S) X (Jordan 2024,
 * https://kellerjordan.github.io/posts/muon). Tall matrices use X^T X, the smaller product.
 */
export function newtonSchulz(g: Tensor, steps = 5): Tensor {
  const [, rows, columns] = g.shape as [number, number, number];
  if (g.shape.length !== 3) throw new Error(`newtonSchulz: needs matrices [N, rows, columns], got ${g}`);
  const tall = rows > columns;
  let x = map("normalised", [g, sum(mul(g, g), 1, 3)], (x, squares) => x.div(squares.sqrt().add(EPSILON)));
  for (let step = 0; step < steps; step++) {
    const s = matmul(x, x, { transposeA: tall, transposeB: !tall });
    const polynomial = map("quintic", [s, matmul(s, s)], (s, s2) => s.mul(B).add(s2.mul(C)));
    const moved = tall ? matmul(x, polynomial) : matmul(polynomial, x);
    x = map("newtonSchulz", [x, moved], (x, moved) => x.mul(A).add(moved));
  }
  return x;
}
