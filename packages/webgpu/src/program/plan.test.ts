import { expect, test } from "vitest";
import { accumulate, copy } from "../kernels/elementwise";
import { serialTarget, testNumbers } from "../testing";
import { planMemory } from "./plan";
import { Recording, type Slice, type Storage } from "./recording";

const limits = { maxStorageBufferBindingSize: 2 ** 30, maxBufferSize: 2 ** 30 };
const whole = (storage: Storage): Slice => ({ storage, offset: 0, bytes: storage.bytes });

/** A recording of copies and sums of temporaries, and of what is copied from inputs. */
function start() {
  const recording = new Recording(serialTarget, limits);
  const temporary = (items: number) => recording.storage("temporary", items * 4, "temporary");
  const input = recording.storage("inputs", 4, "input");
  const to = (y: Storage) => from(input, y);
  const from = (x: Storage, y: Storage) =>
    recording.dispatch(copy, { x: whole(x), y: whole(y) }, { items: 1 }, undefined);
  return { recording, input, temporary, to, from };
}

test("a chain of temporaries needs two buffers", () => {
  const { recording, temporary, to, from } = start();
  const chain = Array.from({ length: 6 }, () => temporary(100));
  to(chain[0]!);
  for (let i = 1; i < chain.length; i++) from(chain[i - 1]!, chain[i]!);
  const plan = planMemory(recording, new Set([chain.at(-1)!]));
  expect(plan.slots).toEqual([400, 400]);
  expect(plan.bytes.activations).toBe(800);
});

test("dispatches that nothing depends on are dropped; writes to memory that outlives the program stay", () => {
  const { recording, temporary, to, from } = start();
  const [used, unused, derived, result] = [temporary(1), temporary(1), temporary(1), temporary(1)];
  const outside = recording.storage("external", 4, "state");
  to(used);
  to(unused);
  from(unused, derived);
  from(used, result);
  from(used, outside);
  recording.dispatch(accumulate, { x: whole(used), y: whole(result) }, { items: 1 }, undefined);
  const plan = planMemory(recording, new Set([result]));
  expect(plan.dispatches.map(({ slices }) => slices.at(-1)!.storage)).toEqual([used, result, outside, result]);
  expect(plan.slotOf.has(unused.id)).toBe(false);
});

test("an output is not overwritten by what comes after it", () => {
  const { recording, temporary, to } = start();
  const [early, late] = [temporary(8), temporary(8)];
  to(early);
  to(late);
  const plan = planMemory(recording, new Set([early, late]));
  expect(plan.slotOf.get(early.id)).not.toBe(plan.slotOf.get(late.id));
});

test("two live temporaries never share a buffer, in random programs", () => {
  for (let seed = 1; seed <= 40; seed++) {
    const { recording, input, temporary, to, from } = start();
    const numbers = testNumbers(90, seed).map((value) => (value + 1) / 2);
    const made = [temporary(4)];
    to(made[0]!);
    for (let i = 0; i < 30; i++) {
      const source = made[Math.floor(numbers[3 * i]! * made.length)]!;
      const next = temporary(1 + Math.floor(numbers[3 * i + 1]! * 500));
      from(source, next);
      made.push(next);
    }
    const kept = new Set(made.filter((_, i) => numbers[(3 * i + 2) % 90]! < 0.2).concat(made.at(-1)!));
    const plan = planMemory(recording, kept);
    const span = new Map<Storage, [number, number]>();
    plan.dispatches.forEach(({ slices }, index) => {
      for (const { storage } of slices.filter((slice) => slice.storage !== input))
        span.set(storage, [span.get(storage)?.[0] ?? index, index]);
    });
    for (const storage of kept) span.set(storage, [span.get(storage)![0], plan.dispatches.length]);
    const all = [...span];
    for (const [i, [a, [firstA, lastA]]] of all.entries()) {
      expect(plan.slots[plan.slotOf.get(a.id)!]).toBeGreaterThanOrEqual(a.bytes);
      for (const [b, [firstB, lastB]] of all.slice(i + 1)) {
        const together = firstA <= lastB && firstB <= lastA;
        const shared = plan.slotOf.get(a.id) === plan.slotOf.get(b.id);
        if (together && shared) throw new Error(`seed ${seed}: temporaries ${a.id} and ${b.id} share a buffer`);
      }
    }
  }
});
