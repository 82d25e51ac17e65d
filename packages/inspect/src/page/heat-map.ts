import { element, escapeText } from "./markup";

/** A matrix to be shown as shades. */
export interface HeatMap {
  /** What it is, for those who do not see it. */
  label: string;
  rows: string[];
  columns: string[];
  /** [rows, columns]; null is left blank. */
  values: (number | null)[][];
  /** The value of a full shade. */
  full: number;
  /** What a cell says when it is pointed at. */
  title(row: number, column: number, value: number): string;
  /** What is written into a cell; default nothing. */
  text?(value: number): string;
}

/** A matrix as an SVG: the fuller the shade, the larger the value. */
export function heatMap({ label, rows, columns, values, full, title, text }: HeatMap): string {
  const cell = text ? 52 : Math.max(10, Math.min(72, Math.floor(640 / Math.max(1, columns.length))));
  const height = text ? 32 : Math.min(28, Math.max(16, cell));
  const left = 12 + 6.6 * Math.max(0, ...rows.map((name) => name.length));
  const every = Math.ceil(22 / cell);
  const [width, total] = [left + columns.length * cell + 2, 20 + rows.length * height + 2];
  const cells = values.flatMap((row, r) =>
    row.flatMap((value, c) => {
      if (value === null) return [];
      const [x, y] = [left + c * cell, 20 + r * height];
      const shade = Math.min(1, Math.max(0, value / (full || 1)));
      const size = { x: x.toFixed(1), y, width: cell - 2, height: height - 2, rx: 2 };
      const middle = { x: (x + (cell - 2) / 2).toFixed(1), y: y + height / 2 + 3 };
      return element(
        "g",
        {},
        element("title", {}, escapeText(title(r, c, value))),
        element("rect", { ...size, class: "ground" }),
        element("rect", { ...size, class: "shade", "fill-opacity": shade.toFixed(3) }),
        text
          ? element("text", { ...middle, class: shade > 0.55 ? "middle on" : "middle" }, escapeText(text(value)))
          : "",
      );
    }),
  );
  const names = [
    ...rows.map((name, r) =>
      element("text", { x: left - 8, y: 20 + r * height + height / 2 + 3, class: "end" }, escapeText(name)),
    ),
    ...columns.map((name, c) =>
      c % every === 0
        ? element(
            "text",
            { x: (left + c * cell + (cell - 2) / 2).toFixed(1), y: 13, class: "middle" },
            escapeText(name),
          )
        : "",
    ),
  ];
  return element(
    "div",
    // Many columns scroll on a narrow screen; few shrink.
    { class: columns.length > 8 ? "plot wide" : "plot", tabindex: 0, role: "group", "aria-label": label },
    element(
      "svg",
      {
        viewBox: `0 0 ${width.toFixed(0)} ${total}`,
        width: width.toFixed(0),
        height: total,
        role: "img",
        "aria-label": label,
      },
      ...names,
      ...cells,
    ),
  );
}
