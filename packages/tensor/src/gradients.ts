import { add } from "./ops/elementwise";
import { constant } from "./ops/formulas";
import { type Shape, sameShape, showShape } from "./shape";
import { stackRows } from "./stack-rows";
import {
  type AnyTensor,
  type Gradient,
  rowRange,
  type SumBeside,
  type SumOverRows,
  type Tensor,
  type TraceNode,
} from "./tensor";
import { type Leaf, leaves, type MapLeaves, mapTree } from "./tree";

/** What `gradients` may be told. */
export interface GradientOptions {
  /** Gradient of the loss itself, to scale every gradient; default 1. */
  seed?: Tensor;
}

/**
 * The gradient of a scalar `loss` with respect to every leaf of `parameters`, as a tree of the same form.
 * Walks the ops of the program backwards and appends each one's backward kernels. A parameter that the loss does not
 * depend on, and an op on the way that has no gradient, are errors.
 */
export function gradients<T>(loss: Tensor, parameters: T, options: GradientOptions = {}): MapLeaves<T, Tensor> {
  if (loss.size !== 1) throw new Error(`gradients: needs a scalar loss, got shape ${showShape(loss.shape)}`);
  const wanted = leaves<Leaf & Tensor>(parameters);
  const leavesWanted = new Set<AnyTensor>(wanted.map(([, leaf]) => leaf));
  const needed = new Set(leavesWanted);
  const made = new Set(loss.trace.nodes.flatMap(({ outputs }) => outputs));

  const parts = new Map<AnyTensor, Part[]>();
  parts.set(loss, [options.seed ?? constant(loss.trace, loss.shape, 1)]);
  const uses = new Map<AnyTensor, number>();
  const shared: SharedSum[] = [];
  const waiting: Waiting[] = [];
  const count = ({ inputs }: TraceNode, by: 1 | -1) => {
    for (const input of new Set(inputs)) uses.set(input, (uses.get(input) ?? 0) + by);
  };
  const sumWaiting = (from: number) => {
    for (const group of beside(waiting.splice(from))) {
      group[0]!.totals(group.length, ...stacked(group)).forEach((sum, index) => {
        parts.set(group[index]!.input, [sum]);
      });
    }
  };
  const walk = (nodes: TraceNode[]) => {
    reach(needed, nodes);
    for (const node of nodes) count(node, 1);
    for (const node of nodes.toReversed()) {
      if (!node.outputs.some((output) => parts.has(output))) continue;
      if (node.rule === null || !node.inputs.some((input) => needed.has(input))) continue;
      if (node.again) {
        const inside = node.again();
        count(node, -1);
        node.outputs.forEach((output, index) => {
          const gradients = parts.get(output);
          if (!gradients) return;
          parts.delete(output);
          parts.set(inside.outputs[index]!, gradients);
        });
        const before = waiting.length;
        walk(inside.nodes);
        // What is computed once more is there for as short as can be.
        sumWaiting(before);
        continue;
      }
      if (!node.rule) throw new Error(missingRule(node));
      const dy = node.outputs.map((output) => total(parts.get(output), shared));
      node.outputs.forEach((output, index) => {
        if (!leavesWanted.has(output)) parts.delete(output);
        else if (dy[index]) parts.set(output, [dy[index]]);
      });
      node.rule(...dy).forEach((dx, index) => {
        const input = node.inputs[index]!;
        if (!dx || !needed.has(input)) return;
        if ("totals" in dx && uses.get(input) === 1 && !made.has(input)) {
          waiting.push({ ...dx, input });
          return;
        }
        // What more than one op uses gets the rows of them all in one sum; alone they are summed before their memory is held up.
        const part = "total" in dx && uses.get(input) === 1 ? sumTogether([dx], shared) : dx;
        if ("shape" in part) checkShape(node.name, input.shape, part.shape);
        parts.set(input, [...(parts.get(input) ?? []), part]);
      });
    }
  };
  walk(loss.trace.nodes.slice()); // backward kernels append nodes of their own
  sumWaiting(0);
  return mapTree(parameters, (leaf, path) => {
    const gradient = total(parts.get(leaf as Tensor), shared);
    if (!gradient) {
      throw new Error(`gradients: the loss does not depend on "${path}": leave it out, or use it in the forward pass`);
    }
    return gradient;
  });
}

/** Add every tensor that depends on one of `reached`. */
function reach(reached: Set<AnyTensor>, nodes: TraceNode[]): void {
  for (const { inputs, outputs, rule } of nodes) {
    if (rule !== null && inputs.some((input) => reached.has(input))) {
      for (const output of outputs) reached.add(output);
    }
  }
}

type Part = NonNullable<Gradient>;

function total(parts: Part[] | undefined, shared: SharedSum[]): Tensor | undefined {
  if (!parts || parts.length === 0) return undefined;
  const ready = parts.flatMap((part) => ("shape" in part ? [part] : []));
  const sums = parts.flatMap((part) => ("total" in part ? [part] : []));
  const alone = parts.flatMap((part) => ("totals" in part ? part.totals(1, ...part.rows) : []));
  const added = [...ready, ...alone, ...together(sums).map((group) => sumTogether(group, shared))];
  const base = added.length > 1 ? add(...added) : added[0];
  return parts.reduce<Tensor | undefined>((sum, part) => ("onto" in part ? part.onto(sum) : sum), base);
}

/** Sums by what can be summed at once: by one function, of rows alike, of no more bytes than a kernel binds. */
function together(sums: SumOverRows[]): SumOverRows[][] {
  return grouped(sums, (first, part) => first.total === part.total && sameRange(first, part));
}

/** A sum of a parameter that one op uses, which waits for the others. */
interface Waiting extends SumBeside {
  input: AnyTensor;
}

/** Sums that can be computed beside each other: by one function, of as many rows each, of no more bytes than a kernel binds. */
function beside(waiting: Waiting[]): Waiting[][] {
  const asLong = (rows: AnyTensor[], others: AnyTensor[]) =>
    rows.every(({ shape }, index) => shape[0] === others[index]!.shape[0]);
  return grouped(waiting, (first, part) => first.totals === part.totals && asLong(first.rows, part.rows));
}

/** Parts whose rows can lie under one another, in groups. */
function grouped<T extends { rows: AnyTensor[] }>(parts: T[], belongs: (first: T, part: T) => boolean): T[][] {
  const groups: { members: [T, ...T[]]; bytes: number[] }[] = [];
  for (const part of parts) {
    const bytes = part.rows.map(({ slice }) => slice.bytes);
    const group = groups.find(
      ({ members: [first], bytes: taken }) =>
        belongs(first, part) && part.rows.every((rows, index) => canFollow(rows, first.rows[index]!, taken[index]!)),
    );
    if (!group) groups.push({ members: [part], bytes });
    else {
      group.members.push(part);
      group.bytes = group.bytes.map((taken, index) => taken + bytes[index]!);
    }
  }
  return groups.map(({ members }) => members);
}

/** Whether rows may lie under those of a group that take so many bytes. */
function canFollow({ shape, slice }: AnyTensor, { shape: first, trace }: AnyTensor, taken: number): boolean {
  const alike = sameShape(shape.slice(1), first.slice(1));
  return alike && taken + slice.bytes <= trace.recording.limits.maxStorageBufferBindingSize;
}

function sameRange({ range: a }: SumOverRows, { range: b }: SumOverRows): boolean {
  return a?.[0] === b?.[0] && a?.[1] === b?.[1];
}

/** A sum that several inputs have their gradients in, and what it is of. */
interface SharedSum {
  rows: AnyTensor[];
  total: SumOverRows["total"];
  sum: Tensor;
}

function sumTogether(sums: SumOverRows[], shared: SharedSum[]): Tensor {
  const { total, range } = sums[0]!;
  const summed = () => total(...stacked(sums));
  if (!range) return summed();
  const rows = sums.flatMap((part) => part.rows);
  const known = shared.find((other) => other.total === total && sameTensors(other.rows, rows));
  const sum = known?.sum ?? summed();
  if (!known) shared.push({ rows, total, sum });
  return rowRange(sum, ...range);
}

/** The rows of all parts under one another, those that are first in each and so on. */
function stacked(parts: { rows: AnyTensor[] }[]): AnyTensor[] {
  return parts[0]!.rows.map((_, index) => stackRows(parts.map(({ rows }) => rows[index]!)));
}

function sameTensors(a: AnyTensor[], b: AnyTensor[]): boolean {
  return a.length === b.length && a.every((tensor, index) => tensor === b[index]);
}

function missingRule({ name, inputs }: TraceNode): string {
  return (
    `gradients: ${name} has no gradient, and the loss reaches a parameter through it ` +
    `(inputs ${inputs.join(", ")}): put stopGradient() around it, or use another op`
  );
}

function checkShape(name: string, expected: Shape, actual: Shape): void {
  if (expected.join() !== actual.join()) {
    throw new Error(`${name}: its gradient has shape ${showShape(actual)} where the input has ${showShape(expected)}`);
  }
}
