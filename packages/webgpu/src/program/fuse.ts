// Kernels with little to do take most of their time to start, and what one writes for the next alone costs a trip to memory and
// back. Some that follow each other in every layer run as one where nothing else needs what lies between them. The plain kernels
// stay the reference: what runs in their place is made of their own text.

import type { Kernel, KernelTarget } from "../kernel";
import { type CountedOptions, canCount, countedTopK } from "../kernels/counted-top-k";
import { JOINS, type Join, joined } from "../kernels/joined-kernels";
import type { PlanTools } from "./plan-tools";
import type { Dispatch, Slice, Storage } from "./recording";
import { MOST_BINDINGS } from "./round-results";

interface Fusing {
  kept: Set<Storage>;
  target: KernelTarget;
  tools: PlanTools;
}

/** Let dispatches of programs in mixed precision share kernels with their neighbours. */
export function fuse(recorded: Dispatch[], kept: Set<Storage>, target: KernelTarget, tools: PlanTools): Dispatch[] {
  if (target.precision !== "mixed" || target.kernelClass !== "tiled") return recorded;
  const fusing = { kept, target, tools };
  return JOINS.reduce((dispatches, join) => joinCalls(dispatches, join, fusing), countTogether(recorded, fusing));
}

/** Let kernels compute what they read element by element, in place of the kernel that wrote it for them alone. */
function joinCalls(recorded: Dispatch[], join: Join, { kept, target, tools }: Fusing): Dispatch[] {
  const users = tools.usersOf(recorded);
  const result: (Dispatch | undefined)[] = [...recorded];
  recorded.forEach((consumer, at) => {
    const { [join.input]: between, ...own } = buffersOf(consumer, join.consumer);
    if (!between || !tools.isOwn(between) || kept.has(between.storage)) return;
    const { writers, readers } = users.get(between.storage)!;
    const [from = at] = writers;
    const producer = recorded[from]!;
    const { [join.result]: written, ...reads } = buffersOf(producer, join.producer);
    if (from >= at || writers.length + readers.length > 2 || written?.storage !== between.storage) return;
    const since = recorded.slice(from, at);
    if (Object.values(reads).some((slice) => since.some((other) => tools.writesTo(other, slice)))) return;
    const kernel = joined(join, consumer.spec as Kernel, producer.spec as Kernel);
    const named = Object.entries(reads).map(([name, slice]) => [join.names[name]!, slice]);
    const slices = { ...own, ...Object.fromEntries(named) };
    if (bindsForBoth(kernel, slices)) return;
    const sizes = { ...producer.sizes, ...consumer.sizes };
    result[at] = { ...call(kernel, slices, sizes, consumer.options, { target, tools }), flops: consumer.flops };
    result[from] = undefined;
  });
  return result.filter((dispatch) => dispatch !== undefined);
}

/** Let the choice of experts count assignments and sum probabilities, where they are counted and summed as chosen. */
function countTogether(recorded: Dispatch[], { target, tools }: Fusing): Dispatch[] {
  const users = tools.usersOf(recorded);
  const result: (Dispatch | undefined)[] = [...recorded];
  /** Number and buffers of the dispatch of a kernel that reads all of a temporary, before anything else uses what it writes. */
  const readerOf = (slice: Slice | undefined, kernel: string, input: string) => {
    for (const at of slice ? users.get(slice.storage)!.readers : []) {
      const { [input]: x, ...written } = buffersOf(recorded[at]!, kernel);
      const isFirst = Object.values(written).every(({ storage }) => {
        const { writers, readers } = users.get(storage)!;
        return Math.min(...writers, ...readers) === at;
      });
      if (x && isFirst && tools.isOwn(x) && users.get(x.storage)!.writers.length === 1) return { at, written };
    }
    return undefined;
  };
  recorded.forEach((choice, index) => {
    const buffers = buffersOf(choice, "topKSoftmaxForward");
    const count = readerOf(buffers.expert, "expertCount", "expert");
    const sum = readerOf(buffers.probabilities, "probabilitySums", "p");
    if (!count || !sum) return;
    const sizes = { ...choice.sizes, groups: recorded[sum.at]!.sizes.chunks! } as Parameters<typeof canCount>[0];
    const slices = { ...buffers, ...count.written, ...sum.written };
    const kernel = countedTopK(choice.spec as Kernel) as unknown as Kernel;
    if (!canCount(sizes, choice.options as CountedOptions) || bindsForBoth(kernel, slices)) return;
    result[index] = call(kernel, slices, sizes, choice.options, { target, tools });
    for (const { at } of [count, sum]) result[at] = undefined;
  });
  return result.filter((dispatch) => dispatch !== undefined);
}

/** What a dispatch of the kernel of that name binds, by name; nothing where it is of another. */
function buffersOf({ spec, slices }: Dispatch, kernel: string): Record<string, Slice> {
  const { name, buffers } = spec as Kernel;
  return name === kernel ? Object.fromEntries(Object.keys(buffers).map((name, i) => [name, slices[i]!])) : {};
}

/** Whether a kernel would read and write one piece of memory, or bind more than every adapter allows. */
function bindsForBoth({ buffers }: Kernel, slices: Record<string, Slice>): boolean {
  const names = Object.keys(buffers);
  const of = (reads: boolean) => names.filter((name) => buffers[name]!.startsWith("read") === reads);
  const written = new Set(of(false).map((name) => slices[name]!.storage));
  return names.length > MOST_BINDINGS || of(true).some((name) => written.has(slices[name]!.storage));
}

function call(
  spec: Kernel,
  slices: Record<string, Slice>,
  sizes: Record<string, number>,
  options: unknown,
  { target, tools }: Omit<Fusing, "kept">,
): Dispatch {
  const rounding: Dispatch["rounding"] = (rounded) =>
    tools.compileKernel(spec, sizes, target, options as undefined, rounded);
  const bound = Object.keys(spec.buffers).map((name) => slices[name]!);
  return { kernel: rounding({}), slices: bound, flops: 0, spec, sizes, options, rounded: {}, rounding };
}
