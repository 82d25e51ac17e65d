import type { TokenRoute } from "@webmoe/trainer";

/** The expert of each token that has the largest weight; -1 for a token that goes nowhere. */
export function choices(routes: TokenRoute[]): number[] {
  return routes.map(({ experts }) => experts[0] ?? -1);
}

/**
 * Mutual information of two lists of choices as a share of the larger one's greatest possible entropy:
 * sum over a, b of p(a, b) ln(p(a, b) / (p(a) p(b))) / ln E. 0 where they know nothing of each other.
 */
export function informationShare(a: number[], b: number[], experts: number): number {
  const together = new Map<string, number>();
  const [ofA, ofB] = [new Map<number, number>(), new Map<number, number>()];
  const count = <Key>(counts: Map<Key, number>, key: Key) => counts.set(key, (counts.get(key) ?? 0) + 1);
  a.forEach((choice, index) => {
    count(ofA, choice);
    count(ofB, b[index]!);
    count(together, `${choice} ${b[index]}`);
  });
  let information = 0;
  for (const [pair, count] of together) {
    const [x, y] = pair.split(" ").map(Number) as [number, number];
    information += (count / a.length) * Math.log((count * a.length) / (ofA.get(x)! * ofB.get(y)!));
  }
  return Math.max(0, information) / Math.log(Math.max(2, experts));
}
