import { expect, test } from "vitest";
import { lineChart } from "./line-chart";

/** Names beside the lines with their heights, from the top. */
function legendOf(svg: string): { name: string; y: number }[] {
  const found = [...svg.matchAll(/<g data-legend="\d+">.*?<text x="\d+" y="([\d.]+)">(.*?)<\/text>/g)];
  return found.map(([, y, name]) => ({ name: name!, y: Number(y) })).sort((a, b) => a.y - b.y);
}

const series = (ends: Record<string, number>) =>
  Object.entries(ends).map(([name, end]) => ({ name, points: [1, 2].map((x) => ({ x, y: x === 2 ? end : 1 })) }));

test("names stand in the order of the lines' ends, apart from each other", () => {
  const ends = { low: 0.1, high: 0.9, "a little lower": 0.899, "lower still": 0.898 };
  const legend = legendOf(lineChart({ title: "t", x: "x", y: "y", series: series(ends) }));
  expect(legend.map(({ name }) => name)).toEqual(["high", "a little lower", "lower still", "low"]);
  for (const [i, { y }] of legend.slice(1).entries()) expect(y - legend[i]!.y).toBeGreaterThanOrEqual(20);
});

test("names of lines that end together at the bottom are moved up, within the chart", () => {
  const ends = Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`line ${i}`, 0]));
  const legend = legendOf(lineChart({ title: "t", x: "x", y: "y", series: series(ends) }));
  expect(legend).toHaveLength(8);
  expect(legend.at(-1)!.y).toBeLessThan(400);
  expect(legend[0]!.y).toBeLessThan(legend[7]!.y);
});

test("a line without points has a name, and a range leaves out what is beyond it", () => {
  const lines = [...series({ a: 1 }), { name: "empty", points: [] }];
  const svg = lineChart({ title: "t", x: "x", y: "y", series: lines, range: [2, 3], xRange: [0, 10] });
  expect(legendOf(svg).map(({ name }) => name)).toContain("empty");
  expect(svg).not.toContain("NaN");
  expect(svg).toMatch(/text-anchor="middle">10</);
});
