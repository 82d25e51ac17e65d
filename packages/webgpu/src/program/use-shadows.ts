// Weights live in arenas that outlive the program. Where a program packs a range of one for a product, the product reads the
// arena's shadow instead (arena-shadow.ts), and every kernel that updates an arena with a shadow writes both.

import { packHalves } from "../kernels/pack-halves";
import type { PlanTools } from "./plan-tools";
import type { Dispatch, Slice, Storage } from "./recording";
import { MOST_BINDINGS, roundBuffer } from "./round-results";
import type { Shadow } from "./shadow";

/** A program's dispatches, and what they mean for shadows. */
export interface ShadowUse {
  dispatches: Dispatch[];
  /** Shadows that must be up to date before a run. */
  read: Shadow[];
  /** Shadows of arenas that a run changes without them. */
  outdated: Shadow[];
}

/** Let products read shadows in place of packed temporaries, where every kernel that writes the arena can keep its shadow. */
export function useShadows(
  recorded: Dispatch[],
  kept: Set<Storage>,
  { ALIGNMENT, isOwn, usersOf }: PlanTools,
): ShadowUse {
  const users = usersOf(recorded);
  const writersOf = (arena: Storage) => users.get(arena)?.writers ?? [];
  const canKeep = (arena: Storage) => writersOf(arena).every((writer) => beside(recorded[writer]!, arena, ALIGNMENT));
  const ranges = new Map<Storage, Slice>();
  recorded.forEach((packing, index) => {
    if (packing.spec !== packHalves) return;
    const [x, y] = packing.slices as [Slice, Slice];
    const arena = x.storage;
    if (!arena.halves || (x.offset / 2) % ALIGNMENT !== 0 || !isOwn(y) || kept.has(y.storage)) return;
    const { writers, readers } = users.get(y.storage)!;
    const changes = writersOf(arena).some((writer) => index < writer && writer <= readers.at(-1)!);
    if (writers.length !== 1 || changes || !canKeep(arena)) return;
    ranges.set(y.storage, { storage: arena.halves, offset: x.offset / 2, bytes: y.bytes });
  });

  const arenas = [...users.keys()].filter(({ halves }) => halves !== undefined);
  const used = new Set([...ranges.values()].map(({ storage }) => storage));
  const keeping = new Set(arenas.filter((arena) => used.has(arena.halves!) || arena.shadow!.exists).filter(canKeep));
  const dispatches = recorded.flatMap((dispatch) => {
    const slices = dispatch.slices.map((slice) => ranges.get(slice.storage) ?? slice);
    if (dispatch.spec === packHalves && slices[1] !== dispatch.slices[1]) return [];
    let own: Dispatch = { ...dispatch, slices };
    for (const arena of keeping) own = beside(own, arena, ALIGNMENT) ?? own;
    return [own];
  });
  const shadows = (storages: Iterable<Storage>) => [...storages].map(({ shadow }) => shadow!);
  return {
    dispatches,
    read: shadows(used),
    outdated: shadows(arenas.filter((arena) => writersOf(arena).length > 0 && !keeping.has(arena))),
  };
}

/** A dispatch that writes to `arena`, writing the shadow as well; undefined where it does not write there or cannot. */
function beside(dispatch: Dispatch, arena: Storage, alignment: number): Dispatch | undefined {
  const { kernel, slices } = dispatch;
  const bindings = slices.flatMap(({ storage }, i) => (storage === arena && kernel.access[i] !== "read" ? [i] : []));
  const [binding] = bindings;
  if (binding === undefined || bindings.length > 1 || slices.length >= MOST_BINDINGS) return undefined;
  const name = kernel.roundable.get(binding);
  const { offset, bytes } = slices[binding]!;
  if (name === undefined || (offset / 2) % alignment !== 0) return undefined;
  const shadow: Slice = { storage: arena.halves!, offset: offset / 2, bytes: bytes / 2 };
  return roundBuffer(dispatch, name, "besides", [...slices, shadow]);
}
