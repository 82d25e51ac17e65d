/** What the kernels of expert-sort.ts compute, as loops: the reference of the tests that need sorted assignments. */
export function sortByLoop(
  expert: Uint32Array,
  experts: number,
  { tiles, tile, most, spares }: { tiles: number; tile: number; most: number; spares: number },
  topK = 1,
) {
  const none = 0xffffffff;
  const slot = new Uint32Array(expert.length).fill(none);
  const source = new Uint32Array(tiles * tile).fill(none);
  const tileExpert = new Uint32Array(tiles).fill(none);
  const tileRows = new Uint32Array(tiles);
  const rowToken = new Uint32Array(tiles * tile);
  const load = new Float32Array(experts);
  const cut: number[][] = [];
  const last: number[][] = [];
  let first = 0;
  for (let e = 0; e < experts; e++) {
    for (let a = 0; a < expert.length; a++) {
      if (expert[a] !== e) continue;
      const row = first + load[e]!++;
      slot[a] = row;
      source[row] = a;
      tileExpert[Math.floor(row / tile)] = e;
      tileRows[Math.floor(row / tile)]!++;
      rowToken[row] = Math.floor(a / topK);
    }
    let [start, rows] = [first, load[e]!];
    for (; rows > most; rows -= most, start += most) cut.push([start, most, e, cut.length]);
    last.push([start, rows, e, none]);
    first += Math.ceil(load[e]! / tile) * tile;
  }
  const list = spares === 0 ? last : [...cut, ...last.toSorted(([, a], [, b]) => b! - a!)];
  const unused = Array.from({ length: experts + spares - list.length }, () => Array<number>(4).fill(none));
  const parts = Uint32Array.from([...list, ...unused].flat());
  return { slot, source, rowToken, tileExpert, tileRows, parts, load };
}
