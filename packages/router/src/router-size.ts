import { key, leaves, type Spec, sizeOf } from "@webmoe/tensor";
import type { AnyRouter, RouterShape } from "./router";

/** The medium model of Qiu et al. 2024, table 1. */
export const paperShape: RouterShape = { dim: 352, experts: 16, layers: 8, topK: 2, vocab: 205 };

/** How many numbers a router learns, and how many it keeps besides, in a model of the given shape. */
export function routerSize(router: AnyRouter, shape: RouterShape = paperShape): { learned: number; kept: number } {
  const { shared, layers, buffers } = router.init(shape, key(0));
  const count = (tree: unknown) => leaves<Spec>(tree).reduce((total, [, { shape }]) => total + sizeOf(shape), 0);
  return { learned: count({ shared, layers }), kept: count(buffers) };
}
