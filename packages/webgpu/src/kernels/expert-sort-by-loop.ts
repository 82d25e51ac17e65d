/** What the kernels of expert-sort.ts compute, as loops: the reference of the tests that need sorted assignments. */
export function sortByLoop(
  expert: Uint32Array,
  experts: number,
  { tiles, tile }: { tiles: number; tile: number },
  topK = 1,
) {
  const none = 0xffffffff;
  const slot = new Uint32Array(expert.length).fill(none);
  const source = new Uint32Array(tiles * tile).fill(none);
  const tileExpert = new Uint32Array(tiles).fill(none);
  const tileRows = new Uint32Array(tiles);
  const rowToken = new Uint32Array(tiles * tile);
  const segments = new Uint32Array(experts * 2);
  const load = new Float32Array(experts);
  let first = 0;
  for (let e = 0; e < experts; e++) {
    segments[2 * e] = first;
    for (let a = 0; a < expert.length; a++) {
      if (expert[a] !== e) continue;
      const row = first + load[e]!++;
      slot[a] = row;
      source[row] = a;
      tileExpert[Math.floor(row / tile)] = e;
      tileRows[Math.floor(row / tile)]!++;
      rowToken[row] = Math.floor(a / topK);
    }
    segments[2 * e + 1] = load[e]!;
    first += Math.ceil(load[e]! / tile) * tile;
  }
  return { slot, source, rowToken, tileExpert, tileRows, segments, load };
}
