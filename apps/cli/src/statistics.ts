/** The arithmetic mean. */
export function mean(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The standard deviation of a sample (divided by n - 1); undefined below two values. */
export function standardDeviation(values: number[]): number | undefined {
  if (values.length < 2) return undefined;
  const middle = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1));
}

/** The middle value, or the mean of the two in the middle. */
export const median = (values: readonly number[]) => quantile(values, 0.5);

/** The value below which a share of the others lies, between two of them where it falls there. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const above = sorted[Math.min(below + 1, sorted.length - 1)]!;
  return sorted[below]! + (place - below) * (above - sorted[below]!);
}

/** A mean with the interval that holds it with 95 % confidence. */
export interface Interval {
  mean: number;
  /** Undefined below two values. */
  low?: number;
  high?: number;
}

/** mean ± t(95 %, n - 1) * s / sqrt(n), for values that vary as a normal distribution. */
export function interval95(values: number[]): Interval {
  const deviation = standardDeviation(values);
  const middle = mean(values);
  if (deviation === undefined) return { mean: middle };
  const half = (studentQuantile(0.95, values.length - 1) * deviation) / Math.sqrt(values.length);
  return { mean: middle, low: middle - half, high: middle + half };
}

/** The t with P(|T| <= t) = `confidence` for Student's distribution with a whole number of degrees of freedom. */
export function studentQuantile(confidence: number, freedom: number): number {
  let [low, high] = [0, Math.PI / 2];
  for (let i = 0; i < 100; i++) {
    const angle = (low + high) / 2;
    if (withinAngle(angle, freedom) < confidence) low = angle;
    else high = angle;
  }
  return Math.tan(low) * Math.sqrt(freedom);
}

/** P(|T| <= sqrt(n) tan a), a finite sum for whole n (Abramowitz & Stegun 1964, eq. 26.7.3 and 26.7.4). */
function withinAngle(angle: number, freedom: number): number {
  const cos = Math.cos(angle);
  const odd = freedom % 2;
  // Odd n: cos + 2/3 cos^3 + (2 4)/(3 5) cos^5 + …; even n: 1 + 1/2 cos^2 + (1 3)/(2 4) cos^4 + …; up to cos^(n-2).
  let term = odd ? cos : 1;
  let sum = 0;
  for (let power = odd; power <= freedom - 2; power += 2) {
    sum += term;
    term *= ((power + 1) / (power + 2)) * cos * cos;
  }
  const total = Math.sin(angle) * sum;
  return odd ? (2 / Math.PI) * (angle + total) : total;
}
