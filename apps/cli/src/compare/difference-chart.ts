import { colorAt, escapeText, frame, label, ticks } from "./line-chart";

/** A row of the chart: a mean with its interval, and the values it is the mean of. */
export interface DifferenceRow {
  name: string;
  /** Place of its colour. */
  index: number;
  mean: number;
  low?: number;
  high?: number;
  values: number[];
}

const WIDTH = 860;
const LEFT = 230;
const RIGHT = 830;
const ROW = 30;

/** Differences to a baseline as points with intervals around a line at zero, one row each; small ticks are single seeds. */
export function differenceChart(title: string, unit: string, rows: DifferenceRow[]): string {
  const all = rows.flatMap(({ mean, low, high, values }) => [mean, low ?? mean, high ?? mean, ...values]);
  const [min, max] = [Math.min(0, ...all), Math.max(0, ...all)];
  const room = (max - min) * 0.05 || 1;
  const [from, to] = [min - room, max + room];
  const toX = (value: number) => Math.round((LEFT + ((RIGHT - LEFT) * (value - from)) / (to - from)) * 100) / 100;
  const bottom = 44 + rows.length * ROW;
  const body = [
    ...ticks(from, to).map(
      (value) =>
        `<line class="grid" x1="${toX(value)}" x2="${toX(value)}" y1="40" y2="${bottom}"/><text class="faint" x="${toX(value)}" y="${bottom + 20}" text-anchor="middle">${label(value, to - from)}</text>`,
    ),
    `<line class="zero" x1="${toX(0)}" x2="${toX(0)}" y1="36" y2="${bottom}"/>`,
    ...rows.map((row, place) => rowOf(row, 44 + (place + 0.5) * ROW, toX)),
    `<text class="faint" x="${(LEFT + RIGHT) / 2}" y="${bottom + 42}" text-anchor="middle">${escapeText(unit)}</text>`,
  ];
  return frame(title, body.join("\n"), WIDTH, bottom + 54);
}

function rowOf(
  { name, index, mean, low, high, values }: DifferenceRow,
  y: number,
  toX: (value: number) => number,
): string {
  const color = colorAt(index);
  const said = low === undefined ? mean.toFixed(4) : `${mean.toFixed(4)} [${low.toFixed(4)}, ${high!.toFixed(4)}]`;
  return [
    `<g stroke="${color}" fill="${color}"><title>${escapeText(name)}: ${said}</title>`,
    low === undefined
      ? ""
      : `<line x1="${toX(low)}" x2="${toX(high!)}" y1="${y}" y2="${y}" stroke-width="3" opacity="0.6"/>`,
    ...values.map((value) => `<line x1="${toX(value)}" x2="${toX(value)}" y1="${y - 7}" y2="${y + 7}"/>`),
    `<circle cx="${toX(mean)}" cy="${y}" r="5"/></g>`,
    `<text x="${LEFT - 12}" y="${y + 4}" text-anchor="end">${escapeText(name)}</text>`,
  ].join("");
}
