// From a recording to a memory plan: dispatches that repeat another or that nothing depends on are dropped, weights and results
// are rounded where they are written, small sums share dispatches, what is the same in every run is told apart, then every temporary
// gets a buffer for the span from its first to its last use.

import { loadedRounding } from "../kernels/kernels-of-target";
import { constantPart } from "./constants";
import { foldPairs } from "./fold-pairs";
import { foldSums } from "./fold-sums";
import { gateTools } from "./gate-tools";
import { planTools } from "./plan-tools";
import type { Dispatch, Purpose, Recording, Storage } from "./recording";
import { shareRepeats } from "./repeats";
import type { Shadow } from "./shadow";
import { assignSlots, type Span } from "./slots";
import type { ShadowUse } from "./use-shadows";
import { usersOf } from "./users";

/** Which buffer each temporary lives in, and how many bytes each kind of memory takes. */
export interface Plan {
  dispatches: Dispatch[];
  /** What runs once, before the others: their results stay the same. */
  constants: Dispatch[];
  /** Bytes of each slot. */
  slots: number[];
  /** Slot of a temporary, by storage id. */
  slotOf: Map<number, number>;
  exclusive: Storage[];
  /** f16 copies of arenas that must be up to date before a run, and those that a run leaves behind. */
  shadows: { read: Shadow[]; outdated: Shadow[] };
  /** A buffer that temporaries share counts as what the largest of them is for. */
  bytes: Record<Purpose, number> & { exclusive: number };
}

/** Plan the memory of a recording of which `kept` storages are read after it ran. */
export function planMemory({ dispatches: recorded, target, mayRound }: Recording, kept: Set<Storage>): Plan {
  const used = dropUnused(shareRepeats(recorded, kept), kept);
  // Whatever rounds loads this while it is recorded: where nothing has, no operand is packed and no shadow exists.
  const tools = { ...planTools, ...gateTools };
  const rounded = loadedRounding()?.roundProgram(used, kept, { mayRound, target }, tools) ?? unrounded(used);
  const folded = foldPairs(foldSums(rounded.dispatches, kept, target), target);
  const constants = constantPart(folded, kept);
  const dispatches = folded.filter((dispatch) => !constants.includes(dispatch));
  const lasting = constants.flatMap(({ slices }) => slices.map(({ storage }) => storage));
  const spans = lifespans([...constants, ...dispatches], [...kept, ...lasting]);
  const temporaries = [...spans].filter(([{ kind }]) => kind === "temporary");
  const { slots, slotOf } = assignSlots(temporaries);
  const bytesFor = (purpose: Purpose) => sum(slots.map((slot) => (slot.purpose === purpose ? slot.bytes : 0)));
  const exclusive = [...spans.keys()].filter(({ kind }) => kind === "exclusive");
  return {
    dispatches,
    constants,
    slots: slots.map(({ bytes }) => bytes),
    slotOf,
    exclusive,
    shadows: { read: rounded.read, outdated: rounded.outdated },
    bytes: {
      activations: bytesFor("activations"),
      logits: bytesFor("logits"),
      exclusive: sum(exclusive.map(({ bytes }) => bytes)),
    },
  };
}

/** Walk backwards and keep what writes to memory that outlives the program or that a kept dispatch reads. */
function dropUnused(recorded: Dispatch[], kept: Set<Storage>): Dispatch[] {
  const needed = new Set<Storage>(kept);
  const result: Dispatch[] = [];
  for (let index = recorded.length - 1; index >= 0; index--) {
    const dispatch = recorded[index]!;
    const { access } = dispatch.kernel;
    const useful = dispatch.slices.some(
      ({ storage }, i) => access[i] !== "read" && (storage.kind === "external" || needed.has(storage)),
    );
    if (!useful) continue;
    for (const { storage } of dispatch.slices) needed.add(storage);
    result.push(dispatch);
  }
  return result.reverse();
}

/** A program that reads no shadow and keeps none; another that is compiled later may make those of what it writes. */
function unrounded(dispatches: Dispatch[]): ShadowUse {
  const written = [...usersOf(dispatches)].filter(([{ halves }, { writers }]) => halves && writers.length > 0);
  return { dispatches, read: [], outdated: written.map(([{ shadow }]) => shadow!) };
}

/** From the first dispatch that uses a storage to the last, or, for those that are kept, past all. */
function lifespans(dispatches: Dispatch[], kept: Storage[]): Map<Storage, Span> {
  const spans = new Map<Storage, Span>();
  dispatches.forEach(({ slices }, index) => {
    for (const { storage } of slices) {
      const span = spans.get(storage);
      if (span) span[1] = index;
      else spans.set(storage, [index, index]);
    }
  });
  for (const storage of kept) {
    const span = spans.get(storage);
    if (span) span[1] = dispatches.length;
  }
  return spans;
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
