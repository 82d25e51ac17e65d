import { escapeText, lineChart } from "../compare/line-chart";
import type { Curve } from "./run-curves";
import { smoothed, thinned } from "./smooth";

/** Most points of a line; more than a screen has columns is not seen. */
const POINTS = 1200;

const STYLE = `:root{color-scheme:light dark;--faint:#666}
@media(prefers-color-scheme:dark){:root{--faint:#999}}
body{font:16px/1.5 system-ui,sans-serif;max-width:960px;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem}.faint{color:var(--faint)}svg{width:100%;height:auto;margin-top:1rem}[data-legend]{cursor:pointer}.off{opacity:.12}`;

/** A click on a name in a legend hides and shows its line in every chart. */
const SCRIPT = `for(const legend of document.querySelectorAll("[data-legend]"))legend.addEventListener("click",()=>{
const name=legend.textContent;for(const other of document.querySelectorAll("[data-legend]"))if(other.textContent===name){
other.classList.toggle("off");other.closest("svg").querySelector('[data-series="'+other.dataset.legend+'"]').classList.toggle("off")}})`;

/** A figure of some runs. `smooth`: the share that a running mean keeps; 0 for none. */
export interface MetricChart {
  metric: string;
  curves: Curve[];
  smooth: number;
}

/** Charts of runs as one HTML file that needs nothing else. */
export function plotPage(charts: MetricChart[]): string {
  const runs = [...new Set(charts.flatMap(({ curves }) => curves.map(({ run }) => run)))];
  const title = runs.length === 1 ? `Run ${runs[0]}` : `${runs.length} runs`;
  const drawn = charts.map(({ metric, curves, smooth }) =>
    lineChart({
      title: metric,
      x: "step",
      y: metric,
      // A line keeps its colour in all charts.
      series: curves.map(({ run, points }) => ({
        name: run,
        color: runs.indexOf(run),
        points: thinned(smoothed(points, smooth), POINTS),
        ...(smooth > 0 && { faint: thinned(points, POINTS) }),
      })),
    }),
  );
  const most = Math.max(...charts.map(({ smooth }) => smooth));
  const note =
    most > 0
      ? `Bold lines are running means that keep ${most} of themselves at each step; pale ones are the figures.`
      : "";
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escapeText(title)}</title>
<style>${STYLE}</style>
<h1>${escapeText(title)}</h1>
<p class="faint">${note} A click on a name hides its line.</p>
${drawn.join("\n")}
<script>${SCRIPT}</script>
</html>
`;
}
