// From a recording to a memory plan: dispatches that repeat another or that nothing depends on are dropped, then every
// temporary gets a buffer ("slot") for the span from its first to its last use, shared with others whose spans do not
// overlap.

import type { Dispatch, Storage } from "./recording";
import { shareRepeats } from "./repeats";

/** Which buffer each temporary lives in, and how many bytes each kind of memory takes. */
export interface Plan {
  dispatches: Dispatch[];
  /** Bytes of each slot. */
  slots: number[];
  /** Slot of a temporary, by storage id. */
  slotOf: Map<number, number>;
  exclusive: Storage[];
  bytes: { activations: number; exclusive: number };
}

/** Plan the memory of a recording of which `kept` storages are read after it ran. */
export function planMemory(recorded: Dispatch[], kept: Set<Storage>): Plan {
  const dispatches = dropUnused(shareRepeats(recorded, kept), kept);
  const spans = lifespans(dispatches, kept);
  const slots: number[] = [];
  const slotOf = new Map<number, number>();
  const free: number[] = [];
  const ending = new Map<number, number[]>();
  const starting = new Map<number, Storage[]>();
  for (const [storage, [first, last]] of spans) {
    if (storage.kind !== "temporary") continue;
    starting.set(first, [...(starting.get(first) ?? []), storage]);
    ending.set(last, [...(ending.get(last) ?? []), storage.id]);
  }
  for (let index = 0; index < dispatches.length; index++) {
    for (const storage of (starting.get(index) ?? []).sort((a, b) => b.bytes - a.bytes || a.id - b.id)) {
      slotOf.set(storage.id, takeSlot(slots, free, storage.bytes));
    }
    for (const id of ending.get(index) ?? []) free.push(slotOf.get(id)!);
  }
  const exclusive = [...spans.keys()].filter(({ kind }) => kind === "exclusive");
  return {
    dispatches,
    slots,
    slotOf,
    exclusive,
    bytes: { activations: sum(slots), exclusive: sum(exclusive.map(({ bytes }) => bytes)) },
  };
}

/** The smallest free slot that fits; else the largest free one, grown; else another slot. */
function takeSlot(slots: number[], free: number[], bytes: number): number {
  let best = -1;
  for (let i = 0; i < free.length; i++) {
    const fits = slots[free[i]!]! >= bytes;
    if (fits && (best < 0 || slots[free[i]!]! < slots[free[best]!]!)) best = i;
  }
  if (best < 0) {
    for (let i = 0; i < free.length; i++) if (best < 0 || slots[free[i]!]! > slots[free[best]!]!) best = i;
  }
  if (best < 0) return slots.push(bytes) - 1;
  const [slot] = free.splice(best, 1);
  slots[slot!] = Math.max(slots[slot!]!, bytes);
  return slot!;
}

/** Walk backwards and keep what writes to memory that outlives the program or that a kept dispatch reads. */
function dropUnused(recorded: Dispatch[], kept: Set<Storage>): Dispatch[] {
  const needed = new Set<Storage>(kept);
  const result: Dispatch[] = [];
  for (let index = recorded.length - 1; index >= 0; index--) {
    const dispatch = recorded[index]!;
    const { access } = dispatch.kernel;
    const useful = dispatch.slices.some(
      ({ storage }, i) => access[i] !== "read" && (storage.kind === "external" || needed.has(storage)),
    );
    if (!useful) continue;
    for (const { storage } of dispatch.slices) needed.add(storage);
    result.push(dispatch);
  }
  return result.reverse();
}

function lifespans(dispatches: Dispatch[], kept: Set<Storage>): Map<Storage, [number, number]> {
  const spans = new Map<Storage, [number, number]>();
  dispatches.forEach(({ slices }, index) => {
    for (const { storage } of slices) {
      const span = spans.get(storage);
      if (span) span[1] = index;
      else spans.set(storage, [index, index]);
    }
  });
  for (const storage of kept) {
    const span = spans.get(storage);
    if (span) span[1] = dispatches.length;
  }
  return spans;
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
