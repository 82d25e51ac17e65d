// Tables and figures of the page, and what figures of the same rounds are of each other.

/** @param {string[]} heads @param {string[][]} rows */
export function table(heads, rows) {
  return [heads, heads.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** @param {(string | undefined)[][]} items */
export function list(items) {
  return items.map(([name, value]) => `- ${name}: ${value || "unknown"}`).join("\n");
}

/**
 * What figures are of others, round by round: the median of their ratios, and the quarter and the three quarters.
 * @param {number[]} values
 * @param {number[]} others
 */
export function ratioOf(values, others) {
  const ratios = values.map((value, round) => value / (others[round] ?? Number.NaN));
  return { low: quantile(ratios, 0.25), median: quantile(ratios, 0.5), high: quantile(ratios, 0.75) };
}

/** The value below which a share of the others lies, between two of them where it falls there. @param {number[]} values @param {number} share */
export function quantile(values, share) {
  const sorted = values.toSorted((a, b) => a - b);
  const place = share * (sorted.length - 1);
  const [below = Number.NaN, above = below] = sorted.slice(Math.floor(place));
  return below + (place % 1) * (above - below);
}

/** @param {number[]} values */
export const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** A ratio as what is added: "8.1 % (7.9 to 8.4)". @param {ReturnType<typeof ratioOf>} ratio */
export function added({ low, median, high }) {
  const [least, most] = [low, high].map((value) => (100 * (value - 1)).toFixed(1));
  return `${percent(median - 1)} (${least} to ${most})`;
}

/** @param {number} part */
export const percent = (part) => `${(100 * part).toFixed(1)} %`;
/** @param {number} value */
export const thousands = (value) => (value / 1000).toPrecision(value < 1e6 ? 3 : 4);
/** @param {number} bytes */
export const gib = (bytes) => (bytes / 2 ** 30).toFixed(2);
