import { expect, test } from "vitest";
import { assignSlots, type Span, type Temporary } from "./slots";

/** The rule itself: largest first, each takes the last slot in which no span overlaps its own. */
function byLoop(temporaries: [Temporary, Span][]): Map<number, number> {
  const taken: Span[][] = [];
  const slotOf = new Map<number, number>();
  for (const [{ id }, span] of temporaries.toSorted(([a], [b]) => b.bytes - a.bytes || a.id - b.id)) {
    let slot = taken.findLastIndex((spans) => spans.every(([first, last]) => last < span[0] || span[1] < first));
    if (slot < 0) slot = taken.push([]) - 1;
    taken[slot]!.push(span);
    slotOf.set(id, slot);
  }
  return slotOf;
}

/** Temporaries of a few sizes; `reach` of their spans is given by their number and a number below 1. */
function temporaries(count: number, reach: (index: number, random: number) => Span): [Temporary, Span][] {
  let state = 1;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return Array.from({ length: count }, (_, id) => [
    { id, bytes: 256 << Math.floor(random() * 4), purpose: "activations" },
    reach(id, random()),
  ]);
}

test.each<[string, (index: number, random: number) => Span]>([
  ["short and long anywhere", (index, random) => [index, index + Math.floor(300 * random ** 6)]],
  ["nested as in a training step", (index, random) => [index, random < 0.5 ? 2000 - index : index + 2]],
  ["all at once", () => [3, 5]],
])("temporaries get the slots that the rule gives them: %s", (_, reach) => {
  const all = temporaries(700, reach);
  const { slots, slotOf } = assignSlots(all);
  expect(slotOf).toEqual(byLoop(all));
  for (const [{ id, bytes }] of all) expect(slots[slotOf.get(id)!]!.bytes).toBeGreaterThanOrEqual(bytes);
});

test("nothing takes nothing", () => {
  expect(assignSlots([])).toEqual({ slots: [], slotOf: new Map() });
});
