/** The middle of the values, or the mean of the two in the middle; NaN of none. */
export function median(values: ArrayLike<number>): number {
  const sorted = Float64Array.from(values).sort();
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** The mean of the values; NaN of none. */
export function mean(values: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i]!;
  return total / values.length;
}

/** How many values lie in each of `bins` equal parts of [low, high]; the highest belongs to the last part. */
export function histogram(values: ArrayLike<number>, bins: number, low: number, high: number): number[] {
  const counts = new Array<number>(bins).fill(0);
  for (let i = 0; i < values.length; i++) {
    const at = Math.floor(((values[i]! - low) / (high - low)) * bins);
    counts[Math.min(bins - 1, Math.max(0, at))]!++;
  }
  return counts;
}
