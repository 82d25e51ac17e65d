// Products on matrix units read operands rounded to f16, and `packHalves` rounds a whole tensor in a pass of its own. Where
// the kernel that computes the tensor can write it rounded, that pass is spared; where nothing else reads the f32 tensor, it
// is never written at all, which halves the memory that waits for the backward pass.

import { packHalves } from "../kernels/pack-halves";
import type { PlanTools } from "./plan-tools";
import type { Dispatch, Slice, Storage } from "./recording";

/** WebGPU's default `maxStorageBuffersPerShaderStage`. */
export const MOST_BINDINGS = 8;

/** Let kernels round their results as they write them, in place of `packHalves`, where that is possible. */
export function roundResults(
  recorded: Dispatch[],
  kept: Set<Storage>,
  { isOwn, usersOf, writesTo }: PlanTools,
): Dispatch[] {
  const users = usersOf(recorded);
  const result: (Dispatch | undefined)[] = [...recorded];
  recorded.forEach((packing, index) => {
    if (packing.spec !== packHalves) return;
    const [x, y] = packing.slices as [Slice, Slice];
    if (!isOwn(x) || y.storage.kind !== "temporary") return;
    const { writers, readers } = users.get(x.storage)!;
    if (writers.length === 0 || writers.some((writer) => writer > index)) return;
    if (users.get(y.storage)!.writers.some((other) => other !== index && writesTo(recorded[other]!, y))) return;
    const how = readers.length === 1 && !kept.has(x.storage) ? "instead" : "besides";
    // Each writes a part of it.
    const rounding = writers.map((writer) => {
      const made = result[writer]!;
      const binding = made.slices.findIndex(({ storage }) => storage === x.storage);
      const name = made.kernel.roundable.get(binding);
      const canRound =
        isOwn(made.slices[binding]!) &&
        made.kernel.access[binding] === "write" &&
        made.slices.every(({ storage }) => storage !== y.storage) &&
        (how === "instead" || made.slices.length < MOST_BINDINGS);
      if (name === undefined || !canRound) return undefined;
      const instead = made.slices.map((slice, i) => (i === binding ? y : slice));
      return roundBuffer(made, name, how, how === "instead" ? instead : [...made.slices, y]);
    });
    if (rounding.includes(undefined)) return;
    writers.forEach((writer, i) => {
      result[writer] = rounding[i];
    });
    result[index] = undefined;
  });
  return result.filter((dispatch) => dispatch !== undefined);
}

/** A dispatch with one more buffer rounded, and what it then binds. */
export function roundBuffer(made: Dispatch, name: string, how: "besides" | "instead", slices: Slice[]): Dispatch {
  const rounded = { ...made.rounded, [name]: how };
  return { ...made, rounded, kernel: made.rounding(rounded), slices };
}
