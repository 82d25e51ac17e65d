/** Pairs by their count, the commonest first; between equals the one with the smaller number. */
export interface PairHeap {
  push(pair: number, count: number): void;
  pop(): { pair: number; count: number } | undefined;
}

/** A binary heap of pairs. A pair whose count changes is pushed again: whoever pops checks the count. */
export function pairHeap(): PairHeap {
  const pairs: number[] = [];
  const counts: number[] = [];
  const before = (a: number, b: number) =>
    counts[a]! > counts[b]! || (counts[a] === counts[b] && pairs[a]! < pairs[b]!);
  const swap = (a: number, b: number) => {
    [pairs[a], pairs[b]] = [pairs[b]!, pairs[a]!];
    [counts[a], counts[b]] = [counts[b]!, counts[a]!];
  };
  return {
    push(pair, count) {
      let at = pairs.push(pair) - 1;
      counts.push(count);
      while (at > 0) {
        const parent = (at - 1) >> 1;
        if (!before(at, parent)) return;
        swap(at, parent);
        at = parent;
      }
    },
    pop() {
      if (pairs.length === 0) return undefined;
      swap(0, pairs.length - 1);
      const top = { pair: pairs.pop()!, count: counts.pop()! };
      for (let at = 0; ; ) {
        const left = 2 * at + 1;
        const right = left + 1;
        let best = at;
        if (left < pairs.length && before(left, best)) best = left;
        if (right < pairs.length && before(right, best)) best = right;
        if (best === at) return top;
        swap(at, best);
        at = best;
      }
    },
  };
}
