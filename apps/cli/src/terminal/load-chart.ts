import color from "picocolors";
import { loadRows } from "./load-rows";

const BLOCKS = ["▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"];

/** More bars than this would fill the screen. */
const MOST_BARS = 40;

/**
 * The share of assignments each expert received, a group of bars per MoE layer. A full bar is three times an even share; a
 * faint mark shows where even is. Models with many experts get one row of small bars a layer.
 */
export function loadChart(load: number[][], width = 24): string {
  if (load.flat().length > MOST_BARS) return loadRows(load);
  const lines = ["expert load (│ = even share)"];
  load.forEach((counts, layer) => {
    const total = Math.max(
      1,
      counts.reduce((sum, count) => sum + count, 0),
    );
    const even = 1 / counts.length;
    const unused = counts.filter((count) => count === 0).length;
    lines.push(color.dim(`layer ${layer}${unused > 0 ? `, ${unused} of ${counts.length} unused` : ""}`));
    counts.forEach((count, expert) => {
      const share = count / total;
      lines.push(
        `  ${String(expert).padStart(3)} ${bar(share / (3 * even), width)} ${(100 * share).toFixed(1).padStart(5)} %`,
      );
    });
  });
  return lines.join("\n");
}

function bar(part: number, width: number): string {
  const eighths = Math.min(width * 8, Math.round(part * width * 8));
  const full = "█".repeat(Math.floor(eighths / 8)) + (eighths % 8 ? BLOCKS[(eighths % 8) - 1] : "");
  const mark = Math.round(width / 3);
  const rest = Array.from({ length: width - full.length }, (_, i) => (i + full.length === mark ? "│" : " ")).join("");
  return color.cyan(full) + color.dim(rest);
}
