import type { Curve } from "./run-curves";

/**
 * A running mean of a curve that forgets: m_t = (s m_{t-1} + (1 - s) y_t) / (1 - s^t), which starts without a pull to zero
 * (as Adam's moments do, Kingma and Ba 2015). `share` s from 0, as it is, to below 1.
 */
export function smoothed(points: Curve["points"], share: number): Curve["points"] {
  let sum = 0;
  let weight = 0;
  return points.map(({ x, y }) => {
    sum = share * sum + (1 - share) * y;
    weight = share * weight + (1 - share);
    return { x, y: sum / weight };
  });
}

/** A curve of at most about `count` points that looks the same: of every stretch the lowest and the highest, in their order. */
export function thinned(points: Curve["points"], count: number): Curve["points"] {
  if (points.length <= count) return points;
  const stretch = Math.ceil((2 * points.length) / count);
  const kept: Curve["points"] = [];
  for (let start = 0; start < points.length; start += stretch) {
    const part = points.slice(start, start + stretch).sort((a, b) => a.y - b.y);
    const ends = part.length > 1 ? [part[0]!, part.at(-1)!] : part;
    kept.push(...ends.sort((a, b) => a.x - b.x));
  }
  return kept;
}
