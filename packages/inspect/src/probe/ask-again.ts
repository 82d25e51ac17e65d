import type { LossOutput, Model } from "@webmoe/model";
import { type Selection, softmaxTopK } from "@webmoe/router";
import { constant, LEAF, type MapLeaves, type Tensor } from "@webmoe/tensor";

/** What the router of a layer needs besides what the layer saw. */
export interface RouterState {
  shared: MapLeaves<unknown, Tensor>;
  layers: MapLeaves<unknown, Tensor>[];
  buffers?: MapLeaves<unknown, Tensor>;
}

/**
 * What each layer would choose had the layer before handed on zeros: its router is asked again with the same x. Undefined for
 * layers that nothing was handed to. Only the layer's own choice is another; what it feeds on is as it was.
 */
export function choicesWithoutState(
  { router, config }: Model,
  { layers }: LossOutput,
  state: RouterState,
  tokens: Tensor<"u32">,
  mask: Tensor,
): (Selection | undefined)[] {
  const { topK, renormalize } = config.moe;
  return layers.map((layer, index) => {
    if (tensorsOf(layer.carryBefore).length === 0) return undefined;
    const common = { index, tokens, mask, buffers: state.buffers, training: false };
    const { logits } = router.score({
      ...common,
      x: layer.x,
      shared: state.shared,
      layer: state.layers[index],
      carry: zerosLike(layer.carryBefore),
    });
    return (router.select ?? softmaxTopK({ renormalize }))({ ...common, logits, topK });
  });
}

/** The tensors of what a router handed on, with their paths. */
export function tensorsOf(carry: unknown, path = ""): [path: string, tensor: Tensor][] {
  if (typeof carry !== "object" || carry === null) return [];
  if (LEAF in carry) return (carry as Tensor).dtype === "f32" ? [[path || "state", carry as Tensor]] : [];
  return Object.entries(carry).flatMap(([name, part]) => tensorsOf(part, path ? `${path}.${name}` : name));
}

/** The same with zeros for its numbers; whatever else it holds stays. */
function zerosLike(carry: unknown): unknown {
  if (typeof carry !== "object" || carry === null) return carry;
  if (LEAF in carry) {
    const { trace, shape, dtype } = carry as Tensor;
    return dtype === "f32" ? constant(trace, shape, 0) : carry;
  }
  if (Array.isArray(carry)) return carry.map(zerosLike);
  return Object.fromEntries(Object.entries(carry).map(([name, part]) => [name, zerosLike(part)]));
}
