import { descend, movingAverage, nesterov, sgd } from "@webmoe/webgpu";
import { place, type Tensor } from "../tensor";

/** What every update in place takes besides its own: the learning rate, and the factor on gradients, negative to skip. */
export interface UpdateScalars {
  /** The learning rate, []. */
  lr: Tensor;
  /** What clipping multiplies gradients by, []; -1 for a step that is skipped. */
  coefficient: Tensor;
}

/** One step of gradient descent with momentum on a flat range, in place: m = momentum m + g, p -= lr (decay p + m). */
export function sgdUpdate(
  { p, g, m }: { p: Tensor; g: Tensor; m: Tensor },
  scalars: UpdateScalars,
  options: { momentum: number; decay: number },
): void {
  place(sgd, { p, g, m, ...scalars }, { items: p.size, ...options }, {});
}

/** Move the velocity `m` on in place, and return Nesterov's direction g + momentum m, shaped as `g`. */
export function nesterovMomentum(g: Tensor, m: Tensor, coefficient: Tensor, momentum: number): Tensor {
  return place(nesterov, { g, m, coefficient }, { items: g.size, momentum }, { y: g.shape }).y;
}

/** p -= rate lr (decay p + factor d), in place. */
export function descendAlong(
  p: Tensor,
  d: Tensor,
  scalars: UpdateScalars,
  options: { rate: number; decay: number; factor: number },
): void {
  place(descend, { p, d, ...scalars }, { items: p.size, ...options }, {});
}

/** y += rate (x - y), in place. */
export function averageInto(y: Tensor, x: Tensor, rate: number): void {
  place(movingAverage, { y, x }, { items: x.size, rate }, {});
}
