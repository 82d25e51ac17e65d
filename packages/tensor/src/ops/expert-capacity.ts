import { evenExperts as evenExpertsKernel, expertCapacity, expertLoad as expertLoadKernel } from "@webmoe/webgpu";
import { place, type Tensor, u32, withoutGradient } from "../tensor";

/** Which assignments of a full expert are dropped: those that come last, or those with the lowest weights. */
export type DropPolicy = "last" | "lowest";

/**
 * The experts of assignments, u32 [A], with none (0xffffffff) where an expert has taken `capacity` assignments before. "last"
 * fills experts in the order of assignments, "lowest" by descending `weight` [A], ties in their order. The work grows with
 * the square of A.
 */
export function withinCapacity(
  expert: Tensor<"u32">,
  weight: Tensor,
  { capacity, drop }: { capacity: number; drop: DropPolicy },
): Tensor<"u32"> {
  if (weight.size !== expert.size || !(capacity >= 1)) {
    throw new Error(
      `withinCapacity: needs a weight for each assignment and room for one at least, got ${expert}, ${weight} and ${capacity}`,
    );
  }
  const assignments = expert.size;
  const sizes = { assignments, capacity: Math.min(assignments, capacity) };
  const { kept } = place(expertCapacity, { expert, weight }, sizes, { kept: u32(assignments) }, { drop });
  withoutGradient("withinCapacity", [kept], [expert, weight]);
  return kept;
}

/** Assignments of each expert, f32 [E], of u32 [A]. */
export function expertLoad(expert: Tensor<"u32">, experts: number): Tensor {
  const { load } = place(expertLoadKernel, { expert }, { assignments: expert.size, experts }, { load: [experts] });
  withoutGradient("expertLoad", [load], [expert]);
  return load;
}

/**
 * Experts in turn: assignment a of T * K goes to a modulo E. `column` u32 [T, K] says so for every token; `expert` u32
 * [T * K] is none (0xffffffff) where `mask` f32 [T] is 0.
 */
export function evenExperts(
  mask: Tensor,
  experts: number,
  topK: number,
): { column: Tensor<"u32">; expert: Tensor<"u32"> } {
  const tokens = mask.size;
  const shapes = { column: u32(tokens, topK), expert: u32(tokens * topK) };
  const { column, expert } = place(evenExpertsKernel, { mask }, { tokens, topK, experts }, shapes);
  withoutGradient("evenExperts", [column, expert], [mask]);
  return { column, expert };
}
