// Some of what a program computes is the same in every run: masks of ones, the tokens of assignments, their sums. A run after
// the first one leaves it out.

import { isOwn } from "./ranges";
import type { Dispatch, Storage } from "./recording";
import { usersOf } from "./users";

/** Results above this many bytes are computed again in every run: keeping them would cost memory. */
const MOST_BYTES = 2 ** 18;

/**
 * The dispatches whose results depend on nothing that is given to the program or that outlives it; all that they bind is such
 * results, which no other dispatch writes. None of `kept`, which is read after the program.
 */
export function constantPart(recorded: Dispatch[], kept: Set<Storage>): Dispatch[] {
  const users = usersOf(recorded);
  const results = new Set<Storage>();
  return recorded.filter(({ kernel: { access }, slices }) => {
    const isConstant = slices.every((slice, i) => {
      const { storage } = slice;
      if (access[i] === "read") return results.has(storage);
      const isLasting = isOwn(slice) && storage.bytes <= MOST_BYTES && !kept.has(storage);
      return access[i] === "write" && isLasting && users.get(storage)!.writers.length === 1;
    });
    if (isConstant) for (const { storage } of slices) results.add(storage);
    return isConstant;
  });
}
