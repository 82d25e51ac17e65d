// What Qiu et al. 2024 (arXiv 2408.06793) report of routers on enwik8, and how a comparison's differences stand to theirs.

/**
 * Test bits per byte, one run each, by the size of the model. Where the paper or its authors' repository gives two figures for one thing,
 * both are here.
 * @type {{ layers: number, dim: number, source: string, test: Record<string, number[]> }[]}
 */
export const PAPER = [
  {
    layers: 6,
    dim: 264,
    source: "table 4 and the depth sweep of figure 2",
    test: { linear: [1.184], mlp: [1.183], recurrent: [1.183], NP: [1.196, 1.185] },
  },
  {
    layers: 8,
    dim: 352,
    source: "tables 1, 2 and 5",
    test: {
      linear: [1.128],
      hyper: [1.139],
      mlp: [1.137],
      random: [1.135],
      cosine: [1.122],
      xmoe: [1.125],
      recurrent: [1.116],
      NP: [1.123],
      "detach-h": [1.133],
      "recurrent+xmoe": [1.119],
    },
  },
];

/** A difference of single runs that is no order: the paper rounds to it. */
const TIE = 0.001;

/**
 * The paper's differences of a router to a baseline at one size, in bits per byte; none where it lacks one of them.
 * @param {Record<string, number[]>} test @param {string} label @param {string} baseline
 */
export function publishedDifferences(test, label, baseline) {
  const of = (/** @type {string} */ name) => (Object.hasOwn(test, name) ? /** @type {number[]} */ (test[name]) : []);
  return of(label).flatMap((own) => of(baseline).map((other) => Number((own - other).toFixed(3))));
}

/**
 * How a difference with its 95 % interval stands to the paper's, in words.
 * @param {number[]} published @param {{ mean: number, low?: number, high?: number, seeds: number } | undefined} here
 */
export function againstPaper(published, here) {
  if (published.length === 0) return "";
  if (here?.low === undefined || here.high === undefined || here.seeds < 3) return "too few seeds";
  const { low, high, mean } = here;
  const inside = published.some((value) => low <= value && value <= high);
  const sign = published.every((value) => value > TIE) ? 1 : published.every((value) => value < -TIE) ? -1 : 0;
  if (low <= 0 && high >= 0) return inside ? "not told apart, paper's inside" : "not told apart, paper's outside";
  if (sign === 0) return inside ? "paper's inside, which is no order" : "**order here, none there**";
  if (sign !== Math.sign(mean)) return "**opposite order**";
  return inside
    ? "same order, paper's inside"
    : `same order, ${Math.abs(mean) > Math.abs(published[0] ?? 0) ? "larger" : "smaller"} here`;
}
