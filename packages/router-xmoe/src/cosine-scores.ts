import { constantInit, type Init, map, matmul, mul, sum, type Tensor } from "@webmoe/tensor";

/** How sharp cosine scores are. */
export interface TemperatureOptions {
  /** What cosines are divided by; where it is learned, its first value. Default 0.3. */
  temperature?: number;
  /** Learn one temperature a layer (default), or keep it. */
  learnTemperature?: boolean;
}

/** The learned temperature of a layer, or nothing where it is kept. */
export function initTemperature({ temperature = 0.3, learnTemperature = true }: TemperatureOptions): {
  temperature?: Init; // []
} {
  return learnTemperature ? { temperature: constantInit([], temperature) } : {};
}

/** cos(x_t, e_n) / tau for tokens x [T, w] and experts e [E, w]: [T, E]. tau is a scalar, held at or above 0.01. */
export function cosineScores(x: Tensor, experts: Tensor, tau: Tensor | number): Tensor {
  const cosine = matmul(unitRows(x), unitRows(experts), { transposeB: true });
  if (typeof tau === "number") return map("temperature", [cosine], (c) => c.mul(1 / Math.max(0.01, tau)));
  return map("temperature", [cosine, tau], (c, tau) => c.div(tau.max(0.01)));
}

/** Every row scaled to length 1; a row of zeros stays zero. */
function unitRows(x: Tensor): Tensor {
  const squares = sum(mul(x, x), 1, 2); // [T, 1]
  return map("unitRows", [x, squares], (x, squares) => x.mul(squares.max(1e-12).inverseSqrt()));
}
