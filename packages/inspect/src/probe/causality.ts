import { choiceChange } from "../statistics/choices";
import type { Observer } from "./observer";
import type { ProbedBatch } from "./probed-model";

/**
 * The largest share of assignments, over MoE layers, that change in the first halves of sequences when the second halves do: 0
 * for a router that looks at no later token. What is above says that its loss is not that of a model that can write.
 */
export async function dependenceOnLaterTokens(
  observer: Observer,
  batch: ProbedBatch,
  context: number,
): Promise<number> {
  const before = await observer.observe(batch);
  const tokens = batch.tokens!.slice();
  const half = Math.floor(context / 2);
  const isFirstHalf = (t: number) => t % context < half;
  // The later halves change places with those of the next sequence, or, where there is but one, are read backwards.
  for (let t = 0; t < tokens.length; t++) {
    if (isFirstHalf(t)) continue;
    tokens[t] =
      tokens.length > context
        ? batch.tokens![(t + context) % tokens.length]!
        : batch.tokens![tokens.length - 1 - (t - half)]!;
  }
  const after = await observer.observe({ ...batch, tokens });
  const changes = before.layers.map(
    (layer, index) => choiceChange(layer, after.layers[index]!, tokens.length, isFirstHalf).assignments,
  );
  return Math.max(0, ...changes);
}
