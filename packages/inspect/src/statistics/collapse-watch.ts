import { loadFigures } from "./load";

/** How many steps something must last to be a collapse. */
export const COLLAPSE_STEPS = 50;

/** The share of tokens above which an expert takes too many. */
const TOO_MANY = 0.8;

/** Looks at the load of every step for routers that collapse. */
export interface CollapseWatch {
  /** The assignments of each expert of each MoE layer in one step; returns a sentence the first time a layer has collapsed. */
  see(load: number[][]): string | undefined;
}

/**
 * Say once in a run that routing collapsed: in some layer, for 50 steps, one expert had more than 80 % of the tokens (judged
 * where an even share is at most half), or more than half of the experts had none in all those steps.
 */
export function collapseWatch({ topK }: { topK: number }): CollapseWatch {
  let said = false;
  /** Of each layer: for how many steps its busiest expert has been the same and too busy, and each expert idle. */
  const layers: { busiest: number; busy: number; idle: number[] }[] = [];

  function verdict(counts: number[], layer: number): string | undefined {
    layers[layer] ??= { busiest: -1, busy: 0, idle: counts.map(() => 0) };
    const seen = layers[layer];
    const busiest = counts.indexOf(Math.max(...counts));
    const tooBusy = topK <= counts.length / 2 && loadFigures(counts, topK).maxLoad > TOO_MANY;
    seen.busy = !tooBusy ? 0 : busiest === seen.busiest ? seen.busy + 1 : 1;
    seen.busiest = busiest;
    seen.idle = counts.map((count, expert) => (count === 0 ? seen.idle[expert]! + 1 : 0));
    if (seen.busy >= COLLAPSE_STEPS) {
      return `expert ${busiest} of MoE layer ${layer} has had more than ${100 * TOO_MANY} % of the tokens for ${COLLAPSE_STEPS} steps`;
    }
    const dead = seen.idle.filter((steps) => steps >= COLLAPSE_STEPS).length;
    if (dead > counts.length / 2) {
      return `${dead} of the ${counts.length} experts of MoE layer ${layer} have had no token for ${COLLAPSE_STEPS} steps`;
    }
    return undefined;
  }

  return {
    see(load) {
      if (said) return undefined;
      const found = load.map(verdict).find((sentence) => sentence !== undefined);
      said = found !== undefined;
      return found && `routing collapsed: ${found}: raise moe.balanceLoss, or lower optimizer.lr`;
    },
  };
}
