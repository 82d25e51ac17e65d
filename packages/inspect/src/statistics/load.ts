/** How evenly the assignments of one MoE layer spread over its experts. */
export interface LoadFigures {
  /** The share of tokens that the busiest expert got, for K experts a token; at most 1. */
  maxLoad: number;
  /** Experts that got nothing. */
  dead: number;
  /** Experts that got something, as a share of all: the activation rate. */
  active: number;
  /** (largest load - mean load) / mean load (Wang et al. 2024, arXiv 2408.15664, MaxVio). */
  maxViolation: number;
}

/** Figures of the assignments `load` [E] of each expert, where tokens have K = `topK` of them on average. */
export function loadFigures(load: ArrayLike<number>, topK: number): LoadFigures {
  const counts = Array.from(load);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const largest = Math.max(0, ...counts);
  const dead = counts.filter((count) => count === 0).length;
  const mean = total / Math.max(1, counts.length);
  return {
    maxLoad: total > 0 ? Math.min(1, (largest * topK) / total) : 0,
    dead,
    active: (counts.length - dead) / Math.max(1, counts.length),
    maxViolation: total > 0 ? largest / mean - 1 : 0,
  };
}

/**
 * The share of a batch's assignments that experts of `capacity` even shares would drop: sum over e of max(0, load_e - C) / sum of
 * load, C = ceil(capacity * sum of load / E). Which ones are dropped, the last or the lowest, changes nothing in it.
 */
export function dropRatio(load: ArrayLike<number>, capacity = 1): number {
  const counts = Array.from(load);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const room = Math.ceil((capacity * total) / Math.max(1, counts.length));
  return total > 0 ? counts.reduce((sum, count) => sum + Math.max(0, count - room), 0) / total : 0;
}
