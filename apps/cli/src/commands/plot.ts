import { access, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { latestRun } from "@webmoe/trainer/node";
import color from "picocolors";
import { didYouMean } from "../did-you-mean";
import { UsageError } from "../errors";
import { plotPage } from "../plot/plot-page";
import { type Curve, type RunCurves, runCurves, runNames } from "../plot/run-curves";
import { smoothed } from "../plot/smooth";
import { terminalChart } from "../plot/terminal-chart";
import { RUNS } from "../run-model";
import { printable } from "../terminal/printable";

/** What to draw, and how. */
export interface PlotFlags {
  /** Names of figures with commas. */
  metric?: string;
  /** Share that a running mean keeps; 0 to below 1. */
  smooth: number;
  /** Write a page there instead of drawing in the terminal. */
  html?: string;
}

/** What is drawn unless told otherwise, as far as the runs have it. */
const USUAL = {
  terminal: ["loss", "validation.loss"],
  page: [
    ...["loss", "validation.loss", "validation.bitsPerByte", "validation.accuracy", "lr", "gradNorm"],
    ...["tokensPerSecond", "router.balanceLoss", "lossScale"],
  ],
};

/** Draw curves of runs over each other, in the terminal or as one HTML file. */
export async function plotCommand(given: string[], { metric, smooth, html }: PlotFlags): Promise<void> {
  if (!(smooth >= 0 && smooth < 1)) throw new UsageError(`--smooth: needs a number from 0 to below 1, got ${smooth}`);
  const folders = await Promise.all((given.length > 0 ? given : ["latest"]).map(runFolder));
  const names = runNames(folders).map(printable);
  const runs = await Promise.all(folders.map(runCurves));
  const wanted = metric?.split(",").filter(Boolean);
  for (const name of wanted ?? []) checkMetric(name, runs);
  const charts = (wanted ?? USUAL[html ? "page" : "terminal"]).flatMap((name) => {
    const curves = runs.flatMap((curves, index): Curve[] => {
      const points = curves.get(name) ?? [];
      return points.length > 1 ? [{ run: names[index]!, points }] : [];
    });
    // Validations are few and of the same batches each time: there is no noise to smooth.
    const share = name.startsWith("validation.") ? 0 : smooth;
    return curves.length > 0 ? [{ metric: name, curves, smooth: share }] : [];
  });
  if (charts.length === 0)
    throw new Error(`plot: needs two steps or more of ${wanted?.join(", ") ?? "a run"} to draw a line`);
  if (html) {
    await writeFile(html, plotPage(charts));
    console.log(
      `${charts.length} charts of ${folders.length} run${folders.length === 1 ? "" : "s"}: ${color.cyan(html)}`,
    );
    return;
  }
  const { columns = 80, isTTY = false } = process.stdout;
  const size = { width: Math.min(columns, 140), height: 16, colors: isTTY && color.isColorSupported };
  const drawn = charts.map(({ metric, curves, smooth }) =>
    terminalChart(
      metric,
      curves.map(({ run, points }) => ({ run, points: smoothed(points, smooth) })),
      size,
    ),
  );
  console.log(drawn.join("\n\n"));
}

/** The folder of a run that is named by its path, by its name below runs/, or as the latest. */
async function runFolder(name: string): Promise<string> {
  const found = name === "latest" ? await latestRun(RUNS) : name;
  if (!found) throw new UsageError(`plot: there is no run below ${RUNS}/: train one first`);
  for (const folder of [found, join(RUNS, found)]) {
    const config = await access(join(folder, "config.json")).then(
      () => true,
      () => false,
    );
    if (config) return folder;
  }
  throw new UsageError(
    `plot: needs the folder of a run, and there is no "${name}" nor "${join(RUNS, name)}": see webmoe runs`,
  );
}

function checkMetric(name: string, runs: RunCurves[]): void {
  const known = [...new Set(runs.flatMap((curves) => [...curves.keys()]))];
  if (known.includes(name)) return;
  throw new UsageError(`--metric: no run has "${name}"${didYouMean(name, known)} (known: ${known.join(", ")})`);
}
