// Kernels that read an input element by element, through `read_NAME`, and compute it there in place of another kernel that would
// have written it. The text around it is the reading kernel's own.

import type { Kernel, KernelSource } from "../kernel";
import { NONE } from "./none";

/** How a kernel computes what another would have written for it. */
export interface Join {
  /** What the joined kernel is called. */
  name: string;
  /** The kernel that writes, and its result. */
  producer: string;
  /** The result that the other reads. */
  result: string;
  /** The kernel that reads, and what it calls that result. */
  consumer: string;
  /** The operand that is computed in place of being read. */
  input: string;
  /** What the producer's buffers are called in the joined kernel. */
  names: Record<string, string>;
  /** Sizes that come from the producer. */
  sizes: string[];
  /** Of the producer's buffers that hold elements like the result's: bound as it was, and read through `read_NAME`. */
  alike: string[];
  /** WGSL that returns element `at` of the input, which comes in `lanes` columns at a time. */
  element(lanes: 1 | 4): string;
}

/** What runs as one where nothing else reads what lies between. */
export const JOINS: Join[] = [
  // sum = x + branch with branch[t,:] = sum over j of share[tK+j] * rows[slot[tK+j],:], and the norm of the sum
  {
    name: "addRmsNormOfExperts",
    producer: "combine",
    result: "out",
    consumer: "addRmsNormForward",
    input: "branch",
    names: { y: "rows", slot: "slot", weight: "share" },
    sizes: ["topK"],
    alike: ["rows"],
    element: (lanes) => /* wgsl */ `
  let width = sizes.cols / ${lanes}u;
  let first = at / width * sizes.topK;
  var total = Wide();
  for (var j = 0u; j < sizes.topK; j++) {
    let row = slot[first + j];
    if (row != ${NONE}) { total += share[first + j] * read_rows(row * width + at % width); }
  }
  return total;`,
  },
  // the gradient of logits with dprobabilities[t,e] = slope[e] * dloss[0]
  {
    name: "topKSoftmaxBackwardOfBalance",
    producer: "balanceBackward",
    result: "dprobabilities",
    consumer: "topKSoftmaxBackward",
    input: "dprobabilities",
    names: { slope: "slope", dloss: "dloss" },
    sizes: [],
    alike: [],
    element: () => "return slope[at % sizes.experts] * dloss[0];",
  },
];

/** The kernel that does what `consumer` does with what `producer` would have written. */
export function joined(
  { name, input, names, sizes, alike, element }: Join,
  consumer: Kernel,
  producer: Kernel,
): Kernel {
  const { [input]: _, ...buffers } = consumer.buffers;
  const added = Object.entries(names).map(([own, name]) => [name, producer.buffers[own]!]);
  const kept = sizes.map((size) => [size, producer.sizes[size]!]);
  return {
    ...consumer,
    name,
    buffers: { ...buffers, ...Object.fromEntries(added) },
    sizes: { ...consumer.sizes, ...Object.fromEntries(kept) },
    source(...given): KernelSource {
      const own = consumer.source(...given);
      const { [input]: vector, ...vectors } = own.vectors ?? {};
      const type = vector ?? "f32";
      return {
        ...own,
        vectors: vector ? { ...vectors, ...Object.fromEntries(alike.map((name) => [name, vector])) } : vectors,
        operands: [...own.operands!.filter((name) => name !== input), ...alike],
        wgsl: `${own.wgsl}
alias Wide = ${type};
fn read_${input}(at: u32) -> Wide {${element(vector ? 4 : 1)}}`,
      };
    },
  };
}
