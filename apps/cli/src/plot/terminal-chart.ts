// A chart of lines in text. With colours a cell holds two by four dots of braille, and a line is known by its colour; without,
// a cell holds one mark, and a line is known by its mark.

import color from "picocolors";
import { label, ticks } from "../compare/line-chart";
import type { Curve } from "./run-curves";

/** How large a chart is, in characters, and whether it may have colours. */
export interface ChartSize {
  width: number;
  height: number;
  colors: boolean;
}

const PAINTS = [color.cyan, color.yellow, color.green, color.magenta, color.blue, color.red, color.white];
const MARKS = ["*", "o", "+", "x", "#", "@", "%"];

/** Bits of the dots of a braille cell, by column and row (Unicode, "Braille Patterns"). */
const DOTS = [
  [0x01, 0x02, 0x04, 0x40],
  [0x08, 0x10, 0x20, 0x80],
];

/** Draw curves over each other, with axes and a line that names them. */
export function terminalChart(title: string, curves: Curve[], { width, height, colors }: ChartSize): string {
  const points = curves.flatMap((curve) => curve.points);
  const [x0, x1] = extent(points.map(({ x }) => x));
  const [y0, y1] = extent(points.map(({ y }) => y));
  const marks = ticks(y0, y1);
  const names = marks.map((value) => label(value, y1 - y0));
  const margin = Math.max(...names.map((name) => name.length));
  const columns = Math.max(10, width - margin - 2);
  const fine = colors ? { x: 2, y: 4 } : { x: 1, y: 1 };
  const cells = Array.from({ length: height }, () =>
    Array.from({ length: columns }, () => ({ bits: 0, curve: undefined as number | undefined })),
  );
  const toX = (x: number) => Math.round(((columns * fine.x - 1) * (x - x0)) / (x1 - x0 || 1));
  const toY = (y: number) => Math.round(((height * fine.y - 1) * (y1 - y)) / (y1 - y0 || 1));

  curves.forEach((curve, index) => {
    let before: [number, number] | undefined;
    for (const { x, y } of curve.points) {
      const here: [number, number] = [toX(x), toY(y)];
      for (const [column, row] of line(before ?? here, here)) {
        const cell = cells[Math.floor(row / fine.y)]![Math.floor(column / fine.x)]!;
        cell.bits |= DOTS[column % fine.x]![row % fine.y]!;
        cell.curve = index;
      }
      before = here;
    }
  });

  const rowOf = new Map(marks.map((value, index) => [Math.floor(toY(value) / fine.y), names[index]!]));
  const text = ({ bits, curve }: { bits: number; curve?: number }) => {
    if (curve === undefined) return " ";
    return colors ? paint(curve)(String.fromCharCode(0x2800 + bits)) : MARKS[curve % MARKS.length]!;
  };
  const rows = cells.map((row, index) => {
    const name = rowOf.get(index);
    return `${(name ?? "").padStart(margin)} ${name === undefined ? "│" : "┤"}${row.map(text).join("").trimEnd()}`;
  });
  const known = curves.map(({ run }, index) => `${colors ? paint(index)("──") : MARKS[index % MARKS.length]} ${run}`);
  const ends = [String(x0), "step", String(x1)];
  return [
    color.bold(title),
    ...rows,
    `${" ".repeat(margin)} └${"─".repeat(columns)}`,
    `${" ".repeat(margin + 2)}${spread(ends, columns)}`,
    `${" ".repeat(margin + 2)}${known.join("   ")}`,
  ].join("\n");
}

const paint = (index: number) => PAINTS[index % PAINTS.length]!;

/** The places of a straight line from one to another (Bresenham 1965, by rounding). */
function* line([x0, y0]: [number, number], [x1, y1]: [number, number]): Generator<[number, number]> {
  const steps = Math.max(Math.abs(x1 - x0), Math.abs(y1 - y0));
  for (let i = 0; i <= steps; i++) {
    const share = steps === 0 ? 0 : i / steps;
    yield [Math.round(x0 + share * (x1 - x0)), Math.round(y0 + share * (y1 - y0))];
  }
}

/** Three texts at the left, in the middle and at the right. */
function spread([left, middle, right]: string[], width: number): string {
  const start = Math.max(left!.length + 1, Math.floor((width - middle!.length) / 2));
  return (left!.padEnd(start) + middle!).padEnd(Math.max(0, width - right!.length)) + right!;
}

function extent(values: number[]): [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return [low, high];
}
