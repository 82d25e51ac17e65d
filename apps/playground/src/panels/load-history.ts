/** Columns that a history keeps at most. */
const COLUMNS = 240;

/** How load developed, in at most 240 columns whatever the number of steps: when they are used up, neighbours are joined. */
export interface LoadHistory {
  /** Take in a step: assignments of each expert in each layer. */
  push(load: number[][]): void;
  /** Shares of a layer's assignments, [column][expert]; 1 is an even share. */
  columns(layer: number): number[][];
  /** Steps of a column. */
  readonly stepsEach: number;
}

/** Begin a history. */
export function loadHistory(): LoadHistory {
  /** [column][layer][expert] */
  let sums: number[][][] = [];
  let stepsEach = 1;
  let inLast = 0;
  const added = (a: number[][], b: number[][]) => a.map((row, layer) => row.map((x, expert) => x + b[layer]![expert]!));
  return {
    push(load) {
      if (inLast > 0 && inLast < stepsEach) {
        sums[sums.length - 1] = added(sums.at(-1)!, load);
        inLast++;
        return;
      }
      if (sums.length === COLUMNS) {
        sums = Array.from({ length: COLUMNS / 2 }, (_, i) => added(sums[2 * i]!, sums[2 * i + 1]!));
        stepsEach *= 2;
      }
      sums.push(load);
      inLast = 1;
    },
    columns: (layer) =>
      sums.map((column) => {
        const counts = column[layer]!;
        const total = Math.max(
          1,
          counts.reduce((sum, count) => sum + count, 0),
        );
        return counts.map((count) => (count * counts.length) / total);
      }),
    get stepsEach() {
      return stepsEach;
    },
  };
}
