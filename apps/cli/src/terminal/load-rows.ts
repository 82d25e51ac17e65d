import color from "picocolors";

const LEVELS = "▁▂▃▄▅▆▇█";

/**
 * Expert load with one row of upright bars per MoE layer, wrapped at `columns`, and the least and the largest share. A full
 * bar is twice an even share or more; an expert that received nothing is a red dot.
 */
export function loadRows(load: number[][], columns = 80): string {
  const experts = Math.max(...load.map((counts) => counts.length));
  const digits = String(load.length - 1).length;
  const room = columns - `layer ${"0".repeat(digits)}  `.length - "  00.0 to 00.0 %".length;
  const width = experts * 3 <= room ? 2 : 1;
  const gap = experts * (width + 1) <= room ? 1 : 0;
  const perLine = Math.floor(room / (width + gap));
  const lines = [`expert load (▄ = even share, ${(100 / experts).toFixed(1)} %)`];
  load.forEach((counts, layer) => {
    const total = Math.max(
      1,
      counts.reduce((sum, count) => sum + count, 0),
    );
    const percents = counts.map((count) => (100 * count) / total);
    const range = `${Math.min(...percents).toFixed(1)} to ${Math.max(...percents).toFixed(1)} %`;
    for (let first = 0; first < counts.length; first += perLine) {
      const label = first === 0 ? `layer ${String(layer).padStart(digits)}` : " ".repeat(6 + digits);
      const bars = percents.slice(first, first + perLine).map((percent) => bar((percent / 100) * counts.length, width));
      const note = first + perLine >= counts.length ? `  ${color.dim(range)}` : "";
      lines.push(`${label}  ${bars.join(" ".repeat(gap))}${note}`);
    }
  });
  return lines.join("\n");
}

/** A bar for a load in even shares: 4 of 8 levels at one, all at two. */
function bar(shares: number, width: number): string {
  if (shares === 0) return color.red("·".repeat(width));
  const level = Math.min(8, Math.max(1, Math.round(shares * 4)));
  return color.cyan(LEVELS[level - 1]!.repeat(width));
}
