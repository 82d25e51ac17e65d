import type { Configuration } from "./configuration";
import { fields } from "./fields";

/** What the two configurations of a race may differ in, besides their routers. */
export const rivalFields = [
  ...fields.experts,
  ...fields.model.filter(({ key }) => key === "moe.hidden" || key === "model.layers"),
  ...fields.training.filter(({ key }) => key === "optimizer.lr"),
];

/** The second configuration of a race: its own router and sizes, everything else (batches, seed, steps) as the first has it. */
export function alongside(first: Configuration, rival: Configuration): Configuration {
  return {
    ...first,
    router: rival.router,
    moe: { ...first.moe, experts: rival.moe.experts, topK: rival.moe.topK, hidden: rival.moe.hidden },
    model: { ...first.model, layers: rival.model.layers },
    optimizer: { ...first.optimizer, lr: rival.optimizer.lr },
  };
}
