import { expect, test } from "vitest";
import { accumulate, copy, copyTo, fill } from "../kernels/elementwise";
import { testGpu } from "../testing";
import { planMemory } from "./plan";
import { compileProgram } from "./program";
import { Recording, type Slice, type Storage } from "./recording";

const whole = (storage: Storage): Slice => ({ storage, offset: 0, bytes: storage.bytes });

async function start() {
  const gpu = await testGpu();
  const recording = new Recording(gpu.target, { maxStorageBufferBindingSize: 2 ** 30, maxBufferSize: 2 ** 30 });
  const temporary = (items = 4) => recording.storage("temporary", items * 4, "temporary");
  const filled = (value: number, y = temporary()) => {
    recording.dispatch(fill, { y: whole(y) }, { items: y.bytes / 4, value }, undefined);
    return y;
  };
  const copied = (x: Storage, y = temporary(x.bytes / 4)) => {
    recording.dispatch(copy, { x: whole(x), y: whole(y) }, { items: x.bytes / 4 }, undefined);
    return y;
  };
  const added = (x: Storage, y: Storage) => {
    recording.dispatch(accumulate, { x: whole(x), y: whole(y) }, { items: y.bytes / 4 }, undefined);
    return y;
  };
  return { gpu, recording, filled, copied, added };
}

test("what depends on constants alone runs once, and its memory is not shared", async () => {
  const { gpu, recording, filled, copied, added } = await start();
  const input = recording.storage("inputs", 16, "input");
  const five = copied(filled(5));
  const before = copied(copied(input));
  const seven = filled(7);
  const sum = copied(added(five, added(seven, before)));
  // Temporaries that take memory where there is any.
  const result = added(five, copied(copied(copied(sum))));
  const program = await compileProgram(gpu, recording, { label: "test", inputs: input, outputs: [whole(result)] });
  expect(program.stats.dispatches).toBe(9);
  for (const value of [1, 2, 3]) {
    const { outputs } = await program.run(Float32Array.of(value, 0, -value, 10).buffer);
    expect([...new Float32Array((await outputs)[0]!)]).toEqual([17 + value, 17, 17 - value, 27]);
  }
  program.close();
});

test("every run computes what inputs, lasting memory or several kernels write, what is large, and what is read afterwards", async () => {
  const { recording, filled, copied, added } = await start();
  const state = recording.storage("external", 16, "state");
  const input = recording.storage("inputs", 16, "input");
  const constant = filled(1);
  const [read, large] = [filled(2), filled(3, recording.storage("temporary", 2 ** 18 + 4, "large"))];
  const ofState = copied(state);
  const ofInput = copied(input);
  const updated = added(constant, filled(4));
  const parts = filled(5, recording.storage("temporary", 32, "parts"));
  recording.dispatch(copyTo, { x: whole(constant), y: whole(parts) }, { items: 4, offset: 4 }, undefined);
  const lasting = [read, copied(large), copied(ofState), copied(ofInput), copied(updated), copied(parts)];
  filled(6, state);
  const { constants, dispatches } = planMemory(recording, new Set(lasting));
  expect(constants.map(({ slices }) => slices[0]!.storage)).toEqual([constant]);
  expect(dispatches).toHaveLength(recording.dispatches.length - 1);
});
