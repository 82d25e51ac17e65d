import { key, leaves, type Spec, sizeOf } from "@webmoe/tensor";
import type { AnyRouter, RouterShape } from "./router";

/** Forward floating-point operations of one token's scores in all MoE layers: what the router says, or the default that `Router.flops` describes. */
export function scoreFlops(router: AnyRouter, shape: RouterShape): number {
  if (router.flops) return router.flops(shape);
  const { shared, layers } = router.init(shape, key(0));
  const count = (tree: unknown) => leaves<Spec>(tree).reduce((total, [, { shape }]) => total + sizeOf(shape), 0);
  return 2 * (count(layers) + shape.layers * count(shared));
}
