// Some values between products need no more precision than the products' operands: what experts hand to their activation, and
// the gradients that come back. Ops say which (`recording.mayRound`). Where every kernel that uses such a tensor can write or
// read it rounded to f16, it is never there in f32: half the memory until the backward pass, and half the bytes to move.

import type { PlanTools } from "./plan-tools";
import type { Dispatch, Slice, Storage } from "./recording";
import { roundBuffer } from "./round-results";

/** Let tensors of `allowed` be held rounded where all their users can. */
export function narrow(
  recorded: Dispatch[],
  kept: Set<Storage>,
  allowed: Set<Storage>,
  { isOwn, usersOf }: PlanTools,
): Dispatch[] {
  /** The one binding that a dispatch uses a temporary by, where that may be rounded; else -1. */
  const bindingOf = ({ kernel, slices }: Dispatch, storage: Storage) => {
    const bindings = slices.flatMap((slice, i) => (slice.storage === storage ? [i] : []));
    const [binding = -1] = bindings;
    const can = bindings.length === 1 && kernel.roundable.has(binding) && kernel.access[binding] !== "update";
    return can && isOwn(slices[binding]!) ? binding : -1;
  };
  const users = usersOf(recorded);
  const result = [...recorded];
  for (const storage of allowed) {
    const { writers, readers } = users.get(storage) ?? { writers: [], readers: [] };
    const all = [...new Set([...writers, ...readers])];
    if (kept.has(storage) || writers.length !== 1 || all.some((index) => bindingOf(result[index]!, storage) < 0))
      continue;
    const bytes = storage.bytes / 2;
    const half: Slice = { storage: { ...storage, bytes }, offset: 0, bytes };
    for (const index of all) {
      const dispatch = result[index]!;
      const binding = bindingOf(dispatch, storage);
      const slices = dispatch.slices.map((slice, i) => (i === binding ? half : slice));
      result[index] = roundBuffer(dispatch, dispatch.kernel.roundable.get(binding)!, "instead", slices);
    }
  }
  return result;
}
