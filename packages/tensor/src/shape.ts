/** The sizes of a tensor's axes, outermost first; `[]` is a scalar. */
export type Shape = readonly number[];

/** Number of elements. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((extent, axis) => extent === b[axis]);
}

/** The shape that all given shapes stretch to: aligned at the last axis, an extent of 1 repeats. */
export function broadcastShapes(who: string, shapes: Shape[]): number[] {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    const extents = shapes.map((shape) => shape[shape.length - rank + axis] ?? 1);
    const extent = extents.find((e) => e !== 1) ?? 1;
    if (extents.some((e) => e !== 1 && e !== extent)) {
      throw new Error(`${who}: shapes must match or broadcast, got ${shapes.map(showShape).join(" and ")}`);
    }
    return extent;
  });
}

export function showShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}
