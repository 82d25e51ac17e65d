import { describe, expect, test } from "vitest";
import { HARDWARE_PACE, pacedWait, SOFTWARE_PACE } from "./paced-wait";

const after = <T>(ms: number, value: T) => new Promise<T>((resolve) => setTimeout(resolve, ms, value));

/** Turns of the event loop until a promise is settled. */
async function turnsUntil(work: Promise<unknown>): Promise<number> {
  let turns = 0;
  let settled = false;
  const turn = () => {
    turns++;
    if (!settled) setImmediate(turn);
  };
  setImmediate(turn);
  await work;
  settled = true;
  return turns;
}

describe.each([SOFTWARE_PACE, HARDWARE_PACE])("a wait that is paced as %j", (pace) => {
  test("takes few turns of the event loop, however long it is", async () => {
    // Without sleep a turn takes some microseconds; with it a quarter of a second is some 300 turns.
    expect(await turnsUntil(pacedWait(pace)(after(250, "done")))).toBeLessThan(1000);
  });

  test("ends as what it waits for does", async () => {
    const wait = pacedWait(pace);
    const both = [wait(after(20, 1)), wait(after(5, 2)), wait(Promise.reject(new Error("lost")))];
    expect(await Promise.allSettled(both)).toMatchObject([{ value: 1 }, { value: 2 }, { reason: { message: "lost" } }]);
    expect(await wait(after(5, 3))).toBe(3);
  });
});

test("turns of a short wait become as long as they are to be", async () => {
  const start = performance.now();
  const turns = await turnsUntil(pacedWait({ share: 0, short: 1, most: 1 })(after(50, "done")));
  // Each is a quarter longer than the one before: some thirty from a microsecond to four milliseconds.
  expect(turns).toBeLessThan(performance.now() - start + 60);
});
