/** How well texts were told apart. */
export interface ClassificationFigures {
  /** Share of texts whose class was found. */
  accuracy: number;
  /** Mean over classes of F1 = 2 hits / (texts of the class + texts taken for it); a class with neither is left out. */
  macroF1: number;
  /** Texts of class `row` that were taken for class `column`. */
  confusion: number[][];
}

/** Figures of a confusion matrix: texts of class `row` that were taken for class `column`. */
export function classificationFigures(confusion: number[][]): ClassificationFigures {
  const sum = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0);
  const hits = confusion.map((row, index) => row[index]!);
  const scores = confusion.flatMap((row, index) => {
    const both = sum(row) + sum(confusion.map((other) => other[index]!));
    return both > 0 ? [(2 * hits[index]!) / both] : [];
  });
  return {
    accuracy: sum(hits) / Math.max(1, sum(confusion.map(sum))),
    macroF1: sum(scores) / Math.max(1, scores.length),
    confusion,
  };
}
