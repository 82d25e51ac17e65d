import { type AnyTensor, oneTrace } from "./tensor";
import { LEAF } from "./tree";

/**
 * The result of `body`, whose gradient computes everything inside once more instead of keeping it from the forward pass to
 * the backward pass: less memory for one more forward pass (Chen et al. 2016, https://arxiv.org/abs/1604.06174). Values and
 * gradients are the same to the last bit.
 *
 * `inputs` holds every tensor that `body` uses and that a gradient flows to, in plain objects and arrays. `body` is called
 * a second time by `gradients()`, and must record the same ops. Results of up to 256 KiB are kept all the same: programs
 * share small repeats.
 *
 * With `differentiable`, that is recorded for the gradient in place of `body`, which then needs no gradients of its own; it must
 * return the same values up to rounding.
 */
export function recomputed<T>(inputs: unknown, body: () => T, differentiable = body): T {
  const used = tensorsIn(inputs);
  const { nodes } = oneTrace("recomputed", used);
  const given = new Set(used);
  const record = (body: () => T) => {
    const start = nodes.length;
    const result = body();
    const outputs = tensorsIn(result).filter((tensor) => !given.has(tensor));
    return { result, outputs, nodes: nodes.splice(start) };
  };
  const { result, outputs } = record(body);
  nodes.push({ name: "recomputed", inputs: used, outputs, again: () => record(differentiable) });
  return result;
}

/** The tensors in plain objects and arrays, each once; whatever else is there does not matter. */
function tensorsIn(value: unknown, found = new Set<AnyTensor>()): AnyTensor[] {
  if (typeof value === "object" && value !== null) {
    if (LEAF in value) found.add(value as AnyTensor);
    else for (const part of Object.values(value)) tensorsIn(part, found);
  }
  return [...found];
}
