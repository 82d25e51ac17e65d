import type { Dispatch, Storage } from "./recording";

/** The dispatches, by number, that write a storage and that read it; one that updates it does both. */
export interface Users {
  writers: number[];
  readers: number[];
}

/** Who uses each storage of a list of dispatches. */
export function usersOf(dispatches: Dispatch[]): Map<Storage, Users> {
  const users = new Map<Storage, Users>();
  dispatches.forEach(({ kernel, slices }, index) => {
    slices.forEach(({ storage }, binding) => {
      const own = users.get(storage) ?? { writers: [], readers: [] };
      users.set(storage, own);
      if (kernel.access[binding] !== "read") own.writers.push(index);
      if (kernel.access[binding] !== "write") own.readers.push(index);
    });
  });
  return users;
}
