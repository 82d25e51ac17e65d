import { steps, validations } from "../training/run";

/** The run's figures, one JSON object a line, as the run folder of the command-line trainer has them. */
export function metricsFile(): string {
  const records = [
    ...steps.value.map(({ kind: _, load, ...figures }) => ({ ...figures, router: { load } })),
    ...validations.value.map(({ kind, ...figures }) => ({ ...figures, split: kind })),
  ];
  // Stable: a validation stays behind the step after which it was made.
  return records
    .sort((a, b) => a.step - b.step)
    .map((record) => `${JSON.stringify(record)}\n`)
    .join("");
}
