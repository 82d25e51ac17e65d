/** A figure at a step. */
export interface Point {
  step: number;
  value: number;
}

/** A mean over the last ones, each weighing `keep` of the one after it, without the pull of a made-up start. */
export function smoothed(points: Point[], keep = 0.9): Point[] {
  let [sum, weight] = [0, 0];
  return points.map(({ step, value }) => {
    sum = keep * sum + (1 - keep) * value;
    weight = keep * weight + (1 - keep);
    return { step, value: sum / weight };
  });
}

/** At most `most` points, each the mean of neighbours, at the step of the last of them. */
export function thinned(points: Point[], most = 800): Point[] {
  const each = Math.ceil(points.length / most);
  if (each <= 1) return points;
  return Array.from({ length: Math.ceil(points.length / each) }, (_, index) => {
    const part = points.slice(index * each, (index + 1) * each);
    return { step: part.at(-1)!.step, value: part.reduce((sum, { value }) => sum + value, 0) / part.length };
  });
}

/** Lines over one axis of steps, with gaps where a line has nothing. */
export function aligned(lines: Point[][]): [number[], ...(number | null)[][]] {
  const steps = [...new Set(lines.flatMap((line) => line.map(({ step }) => step)))].sort((a, b) => a - b);
  const columns = lines.map((line) => {
    const values = new Map(line.map(({ step, value }) => [step, value]));
    return steps.map((step) => values.get(step) ?? null);
  });
  return [steps, ...columns];
}

/** The difference of two runs at a step, and how far noise alone may move it. */
export interface Difference extends Point {
  /** Twice the standard error of the mean difference. */
  band: number;
}

/**
 * The mean of the last `window` differences a - b of losses on the same batches, and twice its standard error
 * sqrt(sum (d - mean)^2 / (n - 1) / n): noise of batches, of one seed.
 */
export function differences(a: Point[], b: Point[], window = 25): Difference[] {
  const other = new Map(b.map(({ step, value }) => [step, value]));
  const paired = a
    .filter(({ step }) => other.has(step))
    .map(({ step, value }) => ({ step, value: value - other.get(step)! }));
  let [sum, squares] = [0, 0];
  return paired.map(({ step, value }, index) => {
    const gone = paired[index - window]?.value ?? 0;
    sum += value - gone;
    squares += value ** 2 - gone ** 2;
    const count = Math.min(window, index + 1);
    const spread = Math.max(0, squares - sum ** 2 / count);
    return { step, value: sum / count, band: count > 1 ? 2 * Math.sqrt(spread / (count - 1) / count) : 0 };
  });
}
