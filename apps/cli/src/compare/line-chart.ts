// A chart of lines with bands as one SVG that stands alone: it follows the reader's light or dark scheme.

/** A line with a band around it. */
export interface Series {
  name: string;
  points: { x: number; y: number; low?: number; high?: number }[];
  /** A pale line below it. */
  faint?: { x: number; y: number }[];
  /** Index of its colour; default its place among the series. */
  color?: number;
}

/** Most points of a line that get dots. */
const MOST_DOTS = 100;

/** What a chart shows. */
export interface Chart {
  title: string;
  x: string;
  y: string;
  series: Series[];
  /** Range of y; default that of all points. */
  range?: [number, number];
  /** Range of x; default that of all points. */
  xRange?: [number, number];
  /** Draw a line at y = 0. */
  zero?: boolean;
}

const WIDTH = 860;
const HEIGHT = 440;
const PLOT = { left: 70, top: 44, right: 640, bottom: 380 };

/** Between two names beside the lines, at least. */
const LEGEND_STEP = 20;

/** Colours that stay apart on white and on black, and for most who do not see all colours. */
const COLORS = [
  "#0072b2",
  "#d55e00",
  "#009e73",
  "#cc79a7",
  "#b8860b",
  "#56b4e9",
  "#8c564b",
  "#7f7fff",
  "#999999",
  "#e41a5c",
  "#4daf4a",
  "#00b5ad",
];

/** The colour of the line at an index. */
export function colorAt(index: number): string {
  return COLORS[index % COLORS.length]!;
}

/** The styles that charts share. */
export const CHART_STYLE = `text{font:13px system-ui,sans-serif;fill:#222}.title{font-weight:600;font-size:15px}.faint{fill:#666}.grid{stroke:#ddd}.zero{stroke:#666;stroke-dasharray:4 3}
@media(prefers-color-scheme:dark){text{fill:#ddd}.faint{fill:#999}.grid{stroke:#3a3a3a}.zero{stroke:#999}}`;

/** Draw a chart. */
export function lineChart({ title, x, y, series, range, xRange, zero }: Chart): string {
  const points = series.flatMap(({ points, faint = [] }): Series["points"] => [...points, ...faint]);
  const [x0, x1] = xRange ?? extent(points.map((point) => point.x));
  const [y0, y1] = padded(range ?? extent(points.flatMap(({ y, low, high }) => [y, low ?? y, high ?? y])));
  const toX = (value: number) => round(PLOT.left + ((PLOT.right - PLOT.left) * (value - x0)) / (x1 - x0 || 1));
  const toY = (value: number) => round(PLOT.bottom - ((PLOT.bottom - PLOT.top) * (value - y0)) / (y1 - y0));
  const place = ({ x, y }: { x: number; y: number }) => `${toX(x)},${toY(y)}`;
  const lines = series.map(({ name, points, faint, color: own }, index) => {
    const edge = (value: (point: Series["points"][number]) => number | undefined) =>
      points.map((point) => place({ x: point.x, y: value(point) ?? point.y }));
    const band = [...edge(({ high }) => high), ...edge(({ low }) => low).reverse()].join(" ");
    const hasBand = points.some(({ low }) => low !== undefined);
    const dots = (points.length > MOST_DOTS ? [] : points).map(
      (point) =>
        `<circle cx="${toX(point.x)}" cy="${toY(point.y)}" r="2.5"><title>${escapeText(name)}, ${point.x}: ${point.y.toFixed(4)}</title></circle>`,
    );
    const color = colorAt(own ?? index);
    const below = faint
      ? `<polyline points="${faint.map(place).join(" ")}" fill="none" stroke="${color}" stroke-width="1" opacity="0.25"/>`
      : "";
    return `<g data-series="${index}" fill="${color}" clip-path="url(#plot)">${hasBand ? `<polygon points="${band}" opacity="0.15"/>` : ""}${below}<polyline points="${points.map(place).join(" ")}" fill="none" stroke="${color}" stroke-width="2"/>${dots.join("")}</g>`;
  });
  // Names stand beside the ends of their lines, in the order of these.
  const ends = series.map(({ points }) => points.at(-1));
  const heights = spread(
    ends.map((end) => (end ? toY(end.y) : PLOT.bottom)),
    [PLOT.top, Math.max(PLOT.bottom, PLOT.top + (series.length - 1) * LEGEND_STEP)],
  );
  const legend = series.map(({ name, color: own }, index) => {
    const [color, height, end] = [colorAt(own ?? index), heights[index]!, ends[index]];
    const inside = end && end.y >= y0 && end.y <= y1;
    const leader = inside
      ? `<polyline points="${place(end)} ${PLOT.right + 4},${toY(end.y)} ${PLOT.right + 16},${height} ${PLOT.right + 26},${height}" fill="none" stroke="${color}" opacity="0.6"/>`
      : "";
    return `<g data-legend="${index}">${leader}<rect x="${PLOT.right + 26}" y="${height - 2}" width="14" height="4" fill="${color}"/><text x="${PLOT.right + 46}" y="${height + 4}">${escapeText(name)}</text></g>`;
  });
  const grid = [
    ...ticks(y0, y1).map(
      (value) =>
        `<line class="grid" x1="${PLOT.left}" x2="${PLOT.right}" y1="${toY(value)}" y2="${toY(value)}"/><text class="faint" x="${PLOT.left - 8}" y="${toY(value) + 4}" text-anchor="end">${label(value, y1 - y0)}</text>`,
    ),
    ...ticks(x0, x1).map(
      (value) => `<text class="faint" x="${toX(value)}" y="${PLOT.bottom + 20}" text-anchor="middle">${value}</text>`,
    ),
    ...(zero && y0 < 0 && y1 > 0
      ? [`<line class="zero" x1="${PLOT.left}" x2="${PLOT.right}" y1="${toY(0)}" y2="${toY(0)}"/>`]
      : []),
  ];
  const middle = (PLOT.left + PLOT.right) / 2;
  return frame(
    title,
    [
      `<clipPath id="plot"><rect x="${PLOT.left}" y="${PLOT.top}" width="${PLOT.right - PLOT.left}" height="${PLOT.bottom - PLOT.top}"/></clipPath>`,
      ...grid,
      ...lines,
      ...legend,
      `<text class="faint" x="${middle}" y="${HEIGHT - 14}" text-anchor="middle">${escapeText(x)}</text>`,
      `<text class="faint" transform="translate(18 ${(PLOT.top + PLOT.bottom) / 2}) rotate(-90)" text-anchor="middle">${escapeText(y)}</text>`,
    ].join("\n"),
    WIDTH,
    HEIGHT,
  );
}

/** An SVG around what is drawn. */
export function frame(title: string, body: string, width: number, height: number): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeText(title)}">
<style>${CHART_STYLE}</style>
<text class="title" x="10" y="22">${escapeText(title)}</text>
${body}
</svg>`;
}

/** Text for markup. */
export function escapeText(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

/** Round numbers from `from` to `to`, about six. */
export function ticks(from: number, to: number): number[] {
  const rough = (to - from) / 6;
  if (!(rough > 0)) return [from];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough)!;
  const first = Math.ceil(from / step - 1e-9);
  const last = Math.floor(to / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** A number with as many decimals as a range asks for. */
export function label(value: number, range: number): string {
  return value.toFixed(Math.min(6, Math.max(0, Math.ceil(-Math.log10(range / 6)))));
}

function extent(values: number[]): [number, number] {
  return values.reduce<[number, number]>(
    ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  );
}

/** Heights near those given, in their order, `LEGEND_STEP` apart and within a range where that has room for them. */
function spread(wanted: number[], [top, bottom]: [number, number]): number[] {
  const order = wanted.map((_, index) => index).sort((a, b) => wanted[a]! - wanted[b]! || a - b);
  const heights = [...wanted];
  let least = top;
  for (const index of order) {
    heights[index] = Math.max(least, heights[index]!);
    least = heights[index]! + LEGEND_STEP;
  }
  let most = bottom;
  for (const index of order.reverse()) {
    heights[index] = Math.min(most, heights[index]!);
    most = heights[index]! - LEGEND_STEP;
  }
  return heights;
}

function padded([low, high]: [number, number]): [number, number] {
  const room = (high - low) * 0.06 || Math.abs(high) * 0.01 || 1;
  return [low - room, high + room];
}

const round = (value: number) => Math.round(value * 100) / 100;
