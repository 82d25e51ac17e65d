/** A function that permutes lists in place, all orders equally likely (Fisher and Yates), from a stream of its own. */
export function shuffle(seed: number): (list: Int32Array) => void {
  let state = seed >>> 0;
  /** The next number of a counter through the murmur3 finalizer. */
  const next = () => {
    state = (state + 0x9e3779b9) >>> 0;
    let x = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    return (x ^ (x >>> 16)) >>> 0;
  };
  return (list) => {
    for (let i = list.length - 1; i > 0; i--) {
      const j = Math.floor((next() / 2 ** 32) * (i + 1));
      [list[i], list[j]] = [list[j]!, list[i]!];
    }
  };
}
