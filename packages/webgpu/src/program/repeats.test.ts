import { expect, test } from "vitest";
import { accumulate, copy as copyKernel, fill } from "../kernels/elementwise";
import { packHalves } from "../kernels/pack-halves";
import { serialTarget } from "../testing";
import { Recording, type Slice, type Storage } from "./recording";
import { shareRepeats } from "./repeats";

const whole = (storage: Storage): Slice => ({ storage, offset: 0, bytes: storage.bytes });

function start(items = 4) {
  const recording = new Recording(serialTarget, { maxStorageBufferBindingSize: 2 ** 30, maxBufferSize: 2 ** 30 });
  const storage = (kind: Storage["kind"] = "temporary") => recording.storage(kind, items * 4, kind);
  return {
    recording,
    storage,
    fill: (y: Storage, value = 0) => recording.dispatch(fill, { y: whole(y) }, { items, value }, undefined),
    copy: (x: Storage, y: Storage) =>
      recording.dispatch(copyKernel, { x: whole(x), y: whole(y) }, { items }, undefined),
    add: (x: Storage, y: Storage) => recording.dispatch(accumulate, { x: whole(x), y: whole(y) }, { items }, undefined),
  };
}

const names = (recorded: { kernel: { name: string } }[]) => recorded.map(({ kernel }) => kernel.name);

test("what repeats runs once, and so does what is computed from it", () => {
  const { recording, storage, fill, copy } = start();
  const [a, b, c, d, e] = [storage(), storage(), storage(), storage(), storage()];
  fill(a);
  copy(a, b);
  fill(c); // as a
  copy(c, d); // as b
  copy(d, e);
  const shared = shareRepeats(recording.dispatches, new Set([e]));
  expect(names(shared)).toEqual(["fill", "copy", "copy"]);
  expect(shared[2]!.slices[0]!.storage).toBe(b);
});

test("another value, another input and another kernel are no repeats", () => {
  const { recording, storage, fill, copy } = start();
  const [a, b, c, d] = [storage(), storage(), storage(), storage()];
  fill(a, 1);
  fill(b, 2);
  copy(a, c);
  copy(b, d);
  expect(shareRepeats(recording.dispatches, new Set())).toHaveLength(4);
});

test("a result that is changed afterwards is nobody else's", () => {
  const { recording, storage, fill, add } = start();
  const [a, b, c] = [storage(), storage(), storage()];
  fill(a);
  fill(b);
  add(a, b);
  fill(c);
  const shared = shareRepeats(recording.dispatches, new Set());
  expect(names(shared)).toEqual(["fill", "fill", "accumulate"]); // c is a's
});

test("memory that changed in between is read again", () => {
  const { recording, storage, copy, add } = start();
  const [state, a, b, c] = [storage("external"), storage(), storage(), storage()];
  copy(state, a);
  add(a, state);
  copy(state, b);
  copy(state, c); // as b
  expect(names(shareRepeats(recording.dispatches, new Set()))).toEqual(["copy", "accumulate", "copy"]);
});

test("results that outlive the program, and large ones, are all computed", () => {
  const small = start();
  const [a, b, c] = [small.storage(), small.storage(), small.storage("external")];
  for (const y of [a, b, c]) small.fill(y);
  expect(shareRepeats(small.recording.dispatches, new Set([b]))).toHaveLength(3);
  const large = start(2 ** 17);
  large.fill(large.storage());
  large.fill(large.storage());
  expect(shareRepeats(large.recording.dispatches, new Set())).toHaveLength(2);
});

test("packed operands are shared whatever their size", () => {
  const { recording, storage } = start(2 ** 18);
  const x = storage("external");
  const bytes = x.bytes / 2;
  for (let i = 0; i < 2; i++) {
    const y = recording.storage("temporary", bytes, "packed");
    recording.dispatch(packHalves, { x: whole(x), y: whole(y) }, { items: bytes / 4 }, undefined);
  }
  expect(shareRepeats(recording.dispatches, new Set())).toHaveLength(1);
});

test("a range of something larger stands for a whole, unless a kernel would then read and write one buffer", () => {
  const { recording, storage, copy } = start(2 ** 8);
  const [x, y, z, out] = [storage("external"), storage(), storage(), storage("external")];
  const rows = recording.storage("temporary", 2 ** 11, "rows");
  const second: Slice = { storage: rows, offset: 2 ** 10, bytes: 2 ** 10 };
  const pack = (to: Slice) => recording.dispatch(packHalves, { x: whole(x), y: to }, { items: 2 ** 8 }, undefined);
  pack(second);
  pack(whole(y));
  copy(y, out);
  const shared = shareRepeats(recording.dispatches, new Set());
  expect(names(shared)).toEqual(["packHalves", "copy"]);
  expect(shared[1]!.slices[0]).toEqual(second);

  pack(whole(z));
  recording.dispatch(copyKernel, { x: whole(z), y: { ...second, offset: 0 } }, { items: 2 ** 8 }, undefined);
  expect(names(shareRepeats(recording.dispatches, new Set()))).toEqual(["packHalves", "copy", "packHalves", "copy"]);
});
