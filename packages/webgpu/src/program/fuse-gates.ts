// The middle of a gated expert is computed by the product before it, forward and backward, where both lie rounded in memory
// (kernels/expert-gates.ts).

import type { CompiledKernel, Kernel, KernelTarget } from "../kernel";
import { type GateTools, gateBackward, gateForward, SIDE } from "../kernels/expert-gates";
import type { PlanTools } from "./plan-tools";
import type { Dispatch, Slice, Storage } from "./recording";

/** What the kernels are made of, and those that they replace. */
export type GateParts = GateTools &
  Record<"gatedBackward" | "gatedForward" | "groupedMatmul" | "groupedMatmulGather", unknown>;

/** Let products of experts compute the gates that their results pass, or that their gradients do. */
export function fuseGates(
  recorded: Dispatch[],
  kept: Set<Storage>,
  target: KernelTarget,
  tools: PlanTools & GateParts,
): Dispatch[] {
  const { compileKernel, gatedBackward, gatedForward, groupedMatmul, groupedMatmulGather, usersOf } = tools;
  const kernels = { forward: gateForward(tools), backward: gateBackward(tools) };
  const users = usersOf(recorded);
  const written = new Map<string, CompiledKernel>();
  const result: (Dispatch | undefined)[] = [...recorded];

  /** The number of the dispatch that writes a slice, and alone does, where it is a product of `spec` in this direction. */
  const productOf = ({ storage }: Slice, index: number, spec: unknown, direction: string): number | undefined => {
    const [writer, ...others] = users.get(storage)!.writers;
    if (writer === undefined || others.length > 0 || writer > index || result[writer]?.spec !== spec) return undefined;
    const { options, rounded, slices, kernel } = result[writer]!;
    const layout = options as { direction: string; halves?: boolean };
    // It moves to where the gate is: nothing in between may write what it reads.
    const isStill = slices.every(
      (own, i) =>
        kernel.access[i] !== "read" ||
        users.get(own.storage)!.writers.every((other) => other < writer || other > index),
    );
    return layout.halves && layout.direction === direction && rounded.y && isStill ? writer : undefined;
  };
  const fuse = (index: number, product: number, direction: "forward" | "backward", slices: Slice[]) => {
    const [{ sizes, flops }, { options }] = [result[product]!, result[index]!];
    const spec = kernels[direction] as unknown as Kernel<string, string, unknown>;
    const call = JSON.stringify([direction, sizes, options]);
    const kernel = written.get(call) ?? compileKernel(spec, sizes, target, options);
    written.set(call, kernel);
    result[product] = undefined;
    result[index] = { kernel, slices, flops, spec, sizes, options, rounded: {}, rounding: () => kernel };
  };

  recorded.forEach(({ spec, slices, sizes, rounded }, index) => {
    const isForward = spec === gatedForward;
    if ((!isForward && spec !== gatedBackward) || sizes.hidden! % (2 * SIDE) !== 0) return;
    if (isForward) {
      const [x, y] = slices as [Slice, Slice];
      if (rounded.x !== "instead" || rounded.y !== "instead") return;
      const product = productOf(x, index, groupedMatmulGather, "forward");
      if (product === undefined || users.get(x.storage)!.readers.some((reader) => reader < index)) return;
      fuse(index, product, "forward", [...result[product]!.slices.slice(0, 4), x, y]);
    } else {
      const [x, dy, dx] = slices as [Slice, Slice, Slice];
      if (rounded.x !== "instead" || rounded.dy !== "instead" || rounded.dx !== "instead") return;
      const product = productOf(dy, index, groupedMatmul, "backward");
      if (product === undefined || kept.has(dy.storage) || users.get(dy.storage)!.readers.length > 1) return;
      fuse(index, product, "backward", [...result[product]!.slices.slice(0, 3), x, dx]);
    }
  });
  return result.filter((dispatch) => dispatch !== undefined);
}
