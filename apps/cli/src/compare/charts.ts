import type { Comparison, RouterSummary } from "./comparison";
import { differenceChart } from "./difference-chart";
import { lineChart } from "./line-chart";

/** The charts of a comparison, by the name of their file; those that there is nothing to draw for are missing. */
export function comparisonCharts(comparison: Comparison): Record<string, string> {
  const { routers, baseline } = comparison;
  const trained = routers.filter(({ curve }) => curve.length > 0);
  if (trained.length === 0) return {};
  const compared = trained.filter(({ validation }) => validation?.difference);
  return {
    "curves.svg": lineChart({
      title: "Validation, mean over seeds and one standard deviation",
      x: "step",
      y: "bits per byte",
      range: lateRange(trained, comparison.config.train.steps),
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

/** The first steps, where all curves fall steeply, would flatten the rest. */
function lateRange(routers: RouterSummary[], steps: number): [number, number] {
  const points = routers.flatMap(({ curve }) => curve);
  const late = points.filter(({ step }) => step >= 0.4 * steps);
  const values = (late.length > 0 ? late : points).flatMap(({ mean, deviation = 0 }) => [
    mean - deviation,
    mean + deviation,
  ]);
  return [Math.min(...values), Math.max(...values)];
}

function differencesOf(router: RouterSummary, baseline: RouterSummary): number[] {
  return router.runs.flatMap((run) => {
    const other = baseline.runs.find(({ seed }) => seed === run.seed);
    return other ? [run.best.validation.bitsPerByte - other.best.validation.bitsPerByte] : [];
  });
}
