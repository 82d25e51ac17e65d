// What flags make of their text.

import { InvalidArgumentError } from "commander";

/** The values of a flag that may be repeated. */
export const collect = (value: string, all: string[]) => [...all, value];

/** A flag's whole number that is not negative. */
export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError("It needs a whole number, 0 or more.");
  return value;
}

/** A flag's finite number. */
export function number(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value)) throw new InvalidArgumentError("It needs a number.");
  return value;
}
