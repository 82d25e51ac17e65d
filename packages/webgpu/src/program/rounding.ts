// What programs round to f16 with, besides their products: the kernel that packs, and the passes over a recording that spare the
// packing; and what lets neighbouring kernels of such programs run as one. A page that trains in f32 does without, so all of it
// lies on one shelf (kernels-of-target.ts). What it shares with every page is handed to it: if it imported that, bundlers would
// cut it out into a file of its own.

import { fuse } from "./fuse";
import { fuseGates, type GateParts } from "./fuse-gates";
import { narrow } from "./narrow";
import type { PlanTools } from "./plan-tools";
import type { Dispatch, Recording, Storage } from "./recording";
import { roundResults } from "./round-results";
import { type ShadowUse, useShadows } from "./use-shadows";

export { packHalves } from "../kernels/pack-halves";
export { makeHalves } from "./make-halves";

/** Let neighbours share kernels, round weights and results where they are written, and hold temporaries of `mayRound` rounded. */
export function roundProgram(
  recorded: Dispatch[],
  kept: Set<Storage>,
  { mayRound, target }: Pick<Recording, "mayRound" | "target">,
  tools: PlanTools & GateParts,
): ShadowUse {
  const { dispatches, ...shadows } = useShadows(fuse(recorded, kept, target, tools), kept, tools);
  const rounded = roundResults(narrow(dispatches, kept, mayRound, tools), kept, tools);
  return { dispatches: fuseGates(rounded, kept, target, tools), ...shadows };
}
