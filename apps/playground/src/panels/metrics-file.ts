import type { LaneFigures } from "../state/lane-figures";

/** A run's figures, one JSON object a line, as the run folder has them. */
export function metricsFile({ steps, validations }: LaneFigures): string {
  const records = [
    ...steps.map(({ kind: _, load, entropy, ...figures }) => ({ ...figures, router: { entropy, load } })),
    ...validations.map(({ kind, ...figures }) => ({ ...figures, split: kind })),
  ];
  // Stable: a validation stays behind the step after which it was made.
  return records
    .sort((a, b) => a.step - b.step)
    .map((record) => `${JSON.stringify(record)}\n`)
    .join("");
}
