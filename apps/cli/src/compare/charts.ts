import type { Comparison, RouterSummary } from "./comparison";
import { differenceChart } from "./difference-chart";
import { lineChart } from "./line-chart";

/** The charts of a comparison, by the name of their file; those that there is nothing to draw for are missing. */
export function comparisonCharts(comparison: Comparison): Record<string, string> {
  const { routers, baseline } = comparison;
  const trained = routers.filter(({ curve }) => curve.length > 0);
  if (trained.length === 0) return {};
  const compared = trained.filter(({ validation }) => validation?.difference);
  const range = lateRange(trained, comparison.config.train.steps);
  return {
    "curves.svg": lineChart({
      title: "Validation, mean over seeds and one standard deviation",
      x: "step",
      y: "bits per byte",
      range,
      xRange: xRangeOf(trained, range),
      series: trained.map(({ label, curve }) => ({
        name: label,
        points: curve.map(({ step, mean, deviation }) => ({
          x: step,
          y: mean,
          ...(deviation !== undefined && { low: mean - deviation, high: mean + deviation }),
        })),
      })),
    }),
    ...(compared.length > 0 && {
      "lags.svg": lineChart({
        title: `Validation, mean difference to ${baseline} by seed`,
        x: "step",
        y: "bits per byte; below the line is better",
        zero: true,
        series: compared.map(({ label, curve }) => ({
          name: label,
          color: trained.findIndex((router) => router.label === label),
          points: curve.flatMap(({ step, difference }) => (difference ? [{ x: step, y: difference.mean }] : [])),
        })),
      }),
    }),
    ...(compared.length > 0 && {
      "differences.svg": differenceChart(
        `Best validation, difference to ${baseline} by seed, with 95 % intervals`,
        "bits per byte; left of the line is better",
        compared.map((router) => ({
          name: router.label,
          index: trained.indexOf(router),
          mean: router.validation!.difference!.mean,
          low: router.validation!.difference!.low,
          high: router.validation!.difference!.high,
          values: differencesOf(router, routers.find(({ label }) => label === baseline)!),
        })),
      ),
    }),
  };
}

/** From where the steps count as late: in those before, all curves fall steeply, and would flatten the rest. */
const LATE = 0.4;

/** The range of the late steps. */
function lateRange(routers: RouterSummary[], steps: number): [number, number] {
  const points = routers.flatMap(({ curve }) => curve);
  const late = points.filter(({ step }) => step >= LATE * steps);
  const values = (late.length > 0 ? late : points).flatMap(({ mean, deviation = 0 }) => [
    mean - deviation,
    mean + deviation,
  ]);
  return [Math.min(...values), Math.max(...values)];
}

/** From the last validation before the first curve comes into a range of losses. */
function xRangeOf(routers: RouterSummary[], [, most]: [number, number]): [number, number] {
  const points = routers.flatMap(({ curve }) => curve);
  const above = routers.map(({ curve }) => curve.findLast(({ mean }) => mean > most)?.step ?? points[0]!.step);
  return [Math.min(...above), Math.max(...points.map(({ step }) => step))];
}

function differencesOf(router: RouterSummary, baseline: RouterSummary): number[] {
  return router.runs.flatMap((run) => {
    const other = baseline.runs.find(({ seed }) => seed === run.seed);
    return other ? [run.best.validation.bitsPerByte - other.best.validation.bitsPerByte] : [];
  });
}
