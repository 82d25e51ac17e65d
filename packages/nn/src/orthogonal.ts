import { type Init, type Key, normals, valuesInit } from "@webmoe/tensor";

/** A matrix [rows, cols] whose rows (or columns, whichever are fewer) are orthogonal and of length `gain`. */
export function orthogonal(rows: number, cols: number, gain: number, key: Key): Init {
  const [count, length] = rows <= cols ? [rows, cols] : [cols, rows];
  const numbers = normals(key, count * length);
  const vectors = Array.from({ length: count }, (_, i) =>
    Float64Array.from(numbers.subarray(i * length, (i + 1) * length)),
  );
  vectors.forEach((vector, i) => {
    for (const earlier of vectors.slice(0, i)) {
      const overlap = dot(vector, earlier);
      for (let c = 0; c < length; c++) vector[c]! -= overlap * earlier[c]!;
    }
    const norm = Math.sqrt(dot(vector, vector));
    for (let c = 0; c < length; c++) vector[c]! /= norm;
  });
  const values = new Float32Array(rows * cols);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < cols; c++) values[r * cols + c] = gain * (rows <= cols ? vectors[r]![c]! : vectors[c]![r]!);
  }
  return valuesInit([rows, cols], values);
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}
