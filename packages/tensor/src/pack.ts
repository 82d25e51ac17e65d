import type { Recording, Slice } from "@webmoe/webgpu";
import { copyOf } from "./ops/copy";
import { Tensor } from "./tensor";
import { leaves } from "./tree";

/**
 * Lay out `tensors` as the state `like` is laid out, one range per arena of `like`, so that an optimizer walks
 * parameters, gradients and moments alike. Kernels that wrote a tensor write into the range itself; a tensor whose
 * memory serves other ends as well is copied.
 */
export function packLike(like: unknown, tensors: unknown): Map<Tensor["slice"]["storage"], Tensor> {
  const models = leaves<Tensor>(like);
  const values = new Map(leaves<Tensor>(tensors));
  const trace = models[0]![1].trace;
  const { recording } = trace;
  const packed = new Map<Slice["storage"], Tensor>();
  const moves = models.map(([path, model]) => {
    const value = values.get(path);
    if (!value || value.size !== model.size) {
      throw new Error(`packLike: needs a tensor like ${path} ${model}, got ${value ?? "none"}`);
    }
    const { storage: arena, offset } = model.slice;
    let whole = packed.get(arena);
    if (!whole) {
      const storage = recording.storage("exclusive", arena.bytes, "gradients");
      whole = new Tensor(trace, [arena.bytes / 4], "f32", { storage, offset: 0, bytes: arena.bytes });
      packed.set(arena, whole);
    }
    const target: Slice = { storage: whole.slice.storage, offset, bytes: value.slice.bytes };
    return { path, value, target };
  });
  moveWholes(recording, moves);
  for (const { path, value, target } of moves) {
    // A copy of what already lies in the range passes through memory outside it, so two copies may be needed.
    let source = value;
    for (let copies = 0; !moved(recording, source, target); copies++) {
      if (copies === 2) throw new Error(`packLike: ${path} cannot be moved into the range of its arena`);
      source = copyOf(source);
    }
  }
  return packed;
}

/** A tensor, and the range that it is to lie in. */
interface Move {
  value: Tensor;
  target: Slice;
}

/** Move tensors of which several ranges are wanted, as of a sum for two biases, where the ranges follow one another as in them. */
function moveWholes(recording: Recording, moves: Move[]): void {
  const parts = new Map<Slice["storage"], Move[]>();
  for (const move of moves) {
    const { storage } = move.value.slice;
    parts.set(storage, [...(parts.get(storage) ?? []), move]);
  }
  for (const [storage, ranges] of parts) {
    const [{ value, target }] = ranges as [Move];
    const offset = target.offset - value.slice.offset;
    const bytes = ranges.reduce((sum, { value }) => sum + value.slice.bytes, 0);
    const follow = ranges.every(
      ({ value: { slice }, target: { storage, offset: at } }) =>
        storage === target.storage && at - slice.offset === offset,
    );
    const whole = { storage, offset: 0, bytes: storage.bytes };
    if (ranges.length > 1 && follow && bytes === storage.bytes)
      recording.redirect(whole, { ...whole, storage: target.storage, offset });
  }
}

/** Whether a tensor lies in the range, if need be by moving it. */
function moved(recording: Recording, { slice }: Tensor, target: Slice): boolean {
  const { storage, offset } = recording.resolve(slice);
  return (storage === target.storage && offset === target.offset) || recording.redirect(slice, target);
}
