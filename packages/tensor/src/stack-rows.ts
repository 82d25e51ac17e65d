import { ALIGNMENT, copyTo, type Slice } from "@webmoe/webgpu";
import { type Dtype, oneTrace, place, Tensor } from "./tensor";

/**
 * Tensors [T_i, ...] under one another, [sum of T_i, ...]. Kernels that wrote one write to its place in the whole instead;
 * where a kernel would then read and write the same memory, the place starts off a multiple of 256 bytes, or the tensor is
 * there twice, it is copied.
 */
export function stackRows<D extends Dtype>(tensors: Tensor<D>[]): Tensor<D> {
  const trace = oneTrace("stackRows", tensors);
  const { recording } = trace;
  const rows = tensors.reduce((total, { shape }) => total + shape[0]!, 0);
  const { dtype } = tensors[0]!;
  const shape = [rows, ...tensors[0]!.shape.slice(1)];
  const lying = tensors.map(({ slice }) => recording.resolve(slice));
  if (lying.every((slice, index) => index === 0 || follows(lying[index - 1]!, slice))) {
    const [{ storage, offset }, bytes] = [lying[0]!, lying.reduce((total, slice) => total + slice.bytes, 0)];
    return new Tensor(trace, shape, dtype, { storage, offset, bytes });
  }
  const whole = trace.temporary(shape, dtype, "stacked rows");
  const parts = new Map<Slice["storage"], number>();
  for (const { storage } of lying) parts.set(storage, (parts.get(storage) ?? 0) + 1);
  const isAlone = (x: Slice) => parts.get(recording.resolve(x).storage) === 1;
  let offset = 0;
  for (const x of tensors) {
    const target = { storage: whole.slice.storage, offset, bytes: x.slice.bytes };
    if (offset % ALIGNMENT !== 0 || !isAlone(x.slice) || !recording.redirect(x.slice, target)) {
      place(copyTo, { x, y: whole }, { items: x.size, offset: offset / 4 }, {});
    }
    offset += x.size * 4;
  }
  return whole;
}

function follows(before: Slice, { storage, offset }: Slice): boolean {
  return before.storage === storage && before.offset + before.bytes === offset;
}
