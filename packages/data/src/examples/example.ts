/** A text and the class it belongs to. */
export interface Example {
  /** What is to be classified. */
  text: string;
  /** The name of its class. */
  label: string;
}

/** The classes of some examples, in the order of their names. */
export function labelsOf(examples: Example[]): string[] {
  return [...new Set(examples.map(({ label }) => label))].sort();
}
