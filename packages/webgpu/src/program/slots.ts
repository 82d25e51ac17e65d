// Temporaries whose spans do not overlap share a buffer, a "slot". Most long spans of a training step reach from the forward to the
// backward pass, so all of them are alive at its peak: the slots that are taken there need not be looked through for each.

import type { Purpose, Storage } from "./recording";

/** The dispatches that use a temporary first and last, by number. */
export type Span = [first: number, last: number];

/** A buffer that temporaries take in turn. */
export interface Slot {
  bytes: number;
  purpose: Purpose;
}

/** What an assignment needs to know of a temporary. */
export type Temporary = Pick<Storage, "id" | "bytes" | "purpose">;

/**
 * Largest first, each temporary takes the smallest slot that is free over its whole span, else another one. A slot is then as
 * large as the first that took it, and small long-lived ones do not hold the memory of large ones ("greedy by size" of Pisarchyk and
 * Lee 2020, arXiv 2001.03288). Returns the slots and which of them a temporary has, by id.
 */
export function assignSlots(temporaries: [Temporary, Span][]): { slots: Slot[]; slotOf: Map<number, number> } {
  const peak = busiest(temporaries);
  const slots: TakenSlot[] = [];
  const slotOf = new Map<number, number>();
  let idleAtPeak: TakenSlot[] = [];
  for (const [{ id, bytes, purpose }, span] of temporaries.toSorted(([a], [b]) => b.bytes - a.bytes || a.id - b.id)) {
    const atPeak = span[0] <= peak && peak <= span[1];
    // Slots are in falling order of size, so the last that is free is the smallest.
    let slot = (atPeak ? idleAtPeak : slots).findLast(({ taken }) => isFree(taken, span));
    if (!slot) {
      slot = { bytes, purpose, index: slots.length, taken: [] };
      slots.push(slot);
      idleAtPeak.push(slot);
    }
    if (atPeak) idleAtPeak = idleAtPeak.filter((other) => other !== slot);
    slot.taken.splice(countUntil(slot.taken, span[1]), 0, span);
    slotOf.set(id, slot.index);
  }
  return { slots, slotOf };
}

/** A slot with its place and the spans of what it holds, in order. */
interface TakenSlot extends Slot {
  index: number;
  taken: Span[];
}

/** A time at which most temporaries are alive. */
function busiest(temporaries: [Temporary, Span][]): number {
  const changes: number[] = [];
  for (const [, [first, last]] of temporaries) {
    changes[first] = (changes[first] ?? 0) + 1;
    changes[last + 1] = (changes[last + 1] ?? 0) - 1;
  }
  let [alive, most, peak] = [0, 0, 0];
  changes.forEach((change, time) => {
    alive += change;
    if (alive > most) [most, peak] = [alive, time];
  });
  return peak;
}

/** Whether none of some spans, which are in order and apart, overlaps another one. */
function isFree(spans: Span[], [first, last]: Span): boolean {
  const before = countUntil(spans, last);
  return before === 0 || spans[before - 1]![1] < first;
}

/** How many spans begin by a time. */
function countUntil(spans: Span[], time: number): number {
  let [from, to] = [0, spans.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (spans[middle]![0] <= time) from = middle + 1;
    else to = middle;
  }
  return from;
}
