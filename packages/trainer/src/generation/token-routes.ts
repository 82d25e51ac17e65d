/** An expert of a selection that stands for none. */
const NO_EXPERT = 0xffffffff;

/** Where a token went in one MoE layer: the largest weight first. */
export interface TokenRoute {
  /** Numbers of the experts. */
  experts: number[];
  /** What each weighs in the layer's output. */
  weights: number[];
}

/** The routes of the tokens of a layer's selection: assignments lie in token order, equally many for each. */
export function tokenRoutes(expert: ArrayLike<number>, weight: ArrayLike<number>, tokens: number): TokenRoute[] {
  const each = expert.length / tokens;
  return Array.from({ length: tokens }, (_, token) => {
    const used = Array.from({ length: each }, (_, k) => token * each + k).filter((i) => expert[i] !== NO_EXPERT);
    used.sort((a, b) => weight[b]! - weight[a]!);
    return { experts: used.map((i) => expert[i]!), weights: used.map((i) => weight[i]!) };
  });
}
