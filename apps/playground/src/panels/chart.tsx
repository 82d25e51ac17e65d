import { effect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";

/** A line of a chart. */
export interface Line {
  /** In the legend; a line without is not in it. */
  label?: string;
  /** Custom property of its colour. */
  colour: string;
  width?: number;
  points?: boolean;
  dash?: number[];
}

/** Distances between marks on the axis of steps, which are whole numbers. */
const STEPS = Array.from({ length: 8 }, (_, power) => [1, 2, 5].map((digit) => digit * 10 ** power)).flat();

/** Names of two lines whose space between is filled. */
export type Band = [upper: number, lower: number];

/** Lines over steps. `data` is read inside an effect: signals that it reads draw the chart anew. */
export function Chart(props: {
  lines: Line[];
  data(): uPlot.AlignedData;
  height?: number;
  bands?: Band[];
  label: string;
}) {
  const place = useRef<HTMLDivElement>(null);
  const { lines } = props;
  const shape = JSON.stringify(lines);
  useEffect(() => drawing(place.current!, props), [shape, props.data]);
  return <div ref={place} class="chart" role="img" aria-label={props.label} />;
}

type ChartProps = Parameters<typeof Chart>[0];

/** Draw into an element, again whenever figures, width or colours change; the result ends that. */
function drawing(place: HTMLDivElement, { lines, data, height = 220, bands = [] }: ChartProps): () => void {
  let plot: uPlot | undefined;
  const draw = () => {
    plot?.destroy();
    plot = new uPlot(options(place, lines, bands, height), data(), place);
  };
  draw();
  let waiting = 0;
  const figures = effect(() => {
    const next = data();
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(() => plot?.setData(next));
  });
  const width = new ResizeObserver(() => plot?.setSize({ width: place.clientWidth, height }));
  width.observe(place);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", draw);
  return () => {
    figures();
    cancelAnimationFrame(waiting);
    width.disconnect();
    dark.removeEventListener("change", draw);
    plot?.destroy();
  };
}

function options(place: HTMLElement, lines: Line[], bands: Band[], height: number): uPlot.Options {
  const style = getComputedStyle(place);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const axis = {
    stroke: colour("--quiet"),
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { stroke: colour("--line"), width: 1, size: 4 },
    font: "12px system-ui",
  };
  // Where nothing is pointed at, the legend has the latest values.
  const latest = (plot: uPlot, series: number) =>
    ([...plot.data[series]!] as (number | null)[]).findLast((value) => value !== null);
  const figure = (plot: uPlot, value: number | null, series: number, at: number | null) =>
    (at === null ? latest(plot, series) : value)?.toFixed(3) ?? "–";
  return {
    width: place.clientWidth,
    height,
    scales: { x: { time: false } },
    axes: [
      { ...axis, incrs: STEPS },
      { ...axis, size: 52 },
    ],
    bands: bands.map((series) => ({ series, fill: colour("--band") })),
    series: [
      { label: "step", value: (plot, step) => String(step ?? latest(plot, 0) ?? "–") },
      ...lines.map(({ label = "", colour: name, width = 1.5, points = false, dash }) => ({
        ...{ label, width, dash, value: figure, spanGaps: true, class: label ? undefined : "unnamed" },
        stroke: colour(name),
        points: { show: points, size: 6 },
      })),
    ],
  };
}
