import type { Slice } from "@webmoe/webgpu";
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
  for (const [path, model] of models) {
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
    // A copy of what already lies in the range passes through memory outside it, so two copies may be needed.
    let source = value;
    for (let copies = 0; !recording.redirect(source.slice, target); copies++) {
      if (copies === 2) throw new Error(`packLike: ${path} cannot be moved into the range of its arena`);
      source = copyOf(source);
    }
  }
  return packed;
}
