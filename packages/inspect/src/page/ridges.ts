import { element, escapeText } from "./markup";

/** Distributions to be drawn one above the other. */
export interface Ridges {
  label: string;
  /** Names, counts in equal parts of `low` to `high`, and a value to mark. */
  rows: { name: string; counts: number[]; mark: number; title: string }[];
  low: number;
  high: number;
  /** What the axis says at its ends. */
  ends: [string, string];
}

const [LEFT, WIDTH, STEP, PEAK] = [72, 720, 30, 44];

/** Distributions as overlapping ridges of one height in an SVG, the first row on top. */
export function ridges({ label, rows, low, high, ends }: Ridges): string {
  const bottom = PEAK + (rows.length - 1) * STEP + 8;
  const drawn = rows.map(({ name, counts, mark, title }, row) => {
    const base = PEAK + row * STEP;
    const highest = Math.max(1, ...counts);
    const points = counts.map((count, i) => {
      const x = LEFT + ((i + 0.5) / counts.length) * WIDTH;
      return `${x.toFixed(1)},${(base - (count / highest) * (PEAK - 6)).toFixed(1)}`;
    });
    const path = `M${LEFT},${base} L${points.join(" L")} L${LEFT + WIDTH},${base} Z`;
    const at = (LEFT + ((mark - low) / (high - low)) * WIDTH).toFixed(1);
    return element(
      "g",
      {},
      element("title", {}, escapeText(title)),
      element("path", { d: path, class: "ridge" }),
      element("line", { x1: at, x2: at, y1: base - 8, y2: base, class: "mark" }),
      element("text", { x: LEFT - 8, y: base, class: "end" }, escapeText(name)),
    );
  });
  const size = [LEFT + WIDTH + 12, bottom + 18] as const;
  return element(
    "div",
    { class: "plot wide", tabindex: 0, role: "group", "aria-label": label },
    element(
      "svg",
      { viewBox: `0 0 ${size[0]} ${size[1]}`, width: size[0], height: size[1], role: "img", "aria-label": label },
      ...drawn,
      element("text", { x: LEFT, y: bottom + 12 }, escapeText(ends[0])),
      element("text", { x: LEFT + WIDTH, y: bottom + 12, class: "end" }, escapeText(ends[1])),
    ),
  );
}
