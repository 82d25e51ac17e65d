import { expect, test } from "vitest";
import { accumulate, copy, fill } from "../kernels/elementwise";
import { serialTarget } from "../testing";
import { Recording, type Slice, type Storage } from "./recording";

const limits = { maxStorageBufferBindingSize: 1024, maxBufferSize: 4096 };
const create = () => new Recording(serialTarget, limits);
const at = (storage: Storage, offset = 0, bytes = storage.bytes): Slice => ({ storage, offset, bytes });

test("one buffer for reading and for writing in one dispatch is an error, at disjoint ranges too", () => {
  const recording = create();
  const x = recording.storage("temporary", 1024, "x");
  const both = { x: at(x, 0, 256), y: at(x, 512, 256) };
  expect(() => recording.dispatch(copy, both, { items: 64 }, undefined)).toThrow(
    "copy: one buffer (x) is bound for reading and for writing at once",
  );
});

test("bindings over the limit, and starts off the alignment, are errors", () => {
  const recording = create();
  const y = recording.storage("temporary", 2048, "big");
  const filled = (slice: Slice) => recording.dispatch(fill, { y: slice }, { items: 1, value: 0 }, undefined);
  expect(() => filled(at(y))).toThrow(/fill: this adapter binds at most 1 KiB at once, got 2 KiB for "y" \(big\)/);
  expect(() => filled(at(y, 4, 4))).toThrow('fill: "y" must start at a multiple of 256 bytes, got 4');
  expect(() => recording.dispatch(fill, {} as never, { items: 1, value: 0 }, undefined)).toThrow(
    'fill: buffer "y" is missing',
  );
  expect(() => recording.dispatch(fill, { y: at(y, 0, 4) }, { items: 1, value: Number.NaN }, undefined)).toThrow(
    'fill: size "value" must be a number, got NaN',
  );
});

test("a redirected temporary is bound at its target, before and after", () => {
  const recording = create();
  const [x, y] = [recording.storage("temporary", 256, "x"), recording.storage("temporary", 256, "y")];
  const arena = recording.storage("exclusive", 1024, "arena");
  recording.dispatch(fill, { y: at(x) }, { items: 64, value: 1 }, undefined);
  expect(recording.redirect(at(x), at(arena, 512, 256))).toBe(true);
  recording.dispatch(copy, { x: at(x), y: at(y) }, { items: 64 }, undefined);
  const bound = recording.dispatches.map(({ slices }) => slices[0]);
  expect(bound).toEqual([at(arena, 512, 256), at(arena, 512, 256)]);
});

test("a redirection that cannot be leaves everything as it was", () => {
  const recording = create();
  const arena = recording.storage("exclusive", 1024, "arena");
  const [x, y] = [recording.storage("temporary", 256, "x"), recording.storage("temporary", 512, "y")];
  recording.dispatch(copy, { x: at(x), y: at(arena, 256, 256) }, { items: 64 }, undefined);
  expect(recording.redirect(at(x), at(arena, 0, 256))).toBe(false); // would be read and written in one dispatch
  expect(recording.redirect(at(y, 256, 256), at(arena, 0, 256))).toBe(false); // not the whole
  const outside = recording.storage("external", 256, "state");
  expect(recording.redirect(at(outside), at(arena, 0, 256))).toBe(false); // not a temporary
  expect(recording.redirect(at(y), at(arena, 0, 512))).toBe(true);
  expect(recording.redirect(at(y), at(arena, 512, 512))).toBe(false); // lives elsewhere already
  recording.dispatch(accumulate, { x: at(y), y: at(x) }, { items: 64 }, undefined);
  expect(recording.dispatches[0]!.slices[0]).toEqual(at(x));
});
