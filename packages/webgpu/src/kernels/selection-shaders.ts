// Shaders of what few routers do: to choose otherwise than by the K highest probabilities, and to limit what an expert takes. The
// kernels in top-k.ts, assignments.ts and expert-capacity.ts say what they compute.

import { NONE } from "./none";

/** Which assignments of a full expert are dropped: those that come last, or those with the lowest weights. */
export interface CapacityOptions {
  /** Which assignments over the capacity go: the last in order, or those of the lowest weight. */
  drop: "last" | "lowest";
}

/** The shader of `topKColumns`, given statements that set `chosen` and what says that its j-th score rules it out. */
export const topKColumns = (chooseLargest: string, topK: number, isRuledOut: string): string => /* wgsl */ `
fn run(row: u32) {
  let start = row * sizes.cols;
${chooseLargest}
  for (var j = 0u; j < ${topK}u; j++) {
    index[row * ${topK}u + j] = select(chosen[j], ${NONE}, ${isRuledOut});
  }
}`;

/** The shader of `takeColumnsForward`, given bits that are no number. */
export const takeColumnsForward = (notANumber: string): string => /* wgsl */ `
fn run(item: u32) {
  var bits = ${notANumber};
  var value = bitcast<f32>(bits);
  if (index[item] != ${NONE}) { value = x[item / sizes.taken * sizes.cols + index[item]]; }
  y[item] = value;
}`;

/** The shader of `takeColumnsBackward`. */
export const takeColumnsBackward: string = /* wgsl */ `
fn run(item: u32) {
  let start = item / sizes.cols * sizes.taken;
  let column = item % sizes.cols;
  var total = 0.0;
  for (var j = 0u; j < sizes.taken; j++) {
    if (index[start + j] == column) { total += dy[start + j]; }
  }
  dx[item] = total;
}`;

/** The shader of `columnRanks`. */
export const columnRanks: string = /* wgsl */ `
fn run(i: u32) {
  let row = i / sizes.cols;
  let mine = x[i];
  var before = 0u;
  var at = i % sizes.cols;
  for (var r = 0u; r < sizes.rows; r++) {
    let other = x[at];
    if (other > mine || (other == mine && r < row)) { before++; }
    at += sizes.cols;
  }
  rank[i] = f32(before);
}`;

/** The shader of `columnsWhere`. */
export const columnsWhere: string = /* wgsl */ `
fn run(i: u32) { index[i] = select(${NONE}, i % sizes.cols, x[i] != 0.0); }`;

/** WGSL that says whether assignment b has its place before assignment a. */
const before: Record<CapacityOptions["drop"], string> = {
  last: "b < a",
  lowest: "weight[b] > weight[a] || (weight[b] == weight[a] && b < a)",
};

/** The shader of `expertCapacity`. */
export const expertCapacity = (drop: CapacityOptions["drop"]): string => /* wgsl */ `
fn run(a: u32) {
  let mine = expert[a];
  var place = 0u;
  for (var b = 0u; b < sizes.assignments; b++) {
    if (expert[b] == mine && (${before[drop]})) { place++; }
  }
  kept[a] = select(${NONE}, mine, place < sizes.capacity);
}`;

/** The shader of `expertLoad`. */
export const expertLoad: string = /* wgsl */ `
fn run(row: u32) {
  var total = 0.0;
  for (var a = first(); a < sizes.assignments; a += step()) { total += f32(expert[a] == row); }
  total = rowSum(total);
  if (isFirst()) { load[row] = total; }
}`;

/** The shader of `evenExperts`. */
export const evenExperts: string = /* wgsl */ `
fn run(a: u32) {
  column[a] = a % sizes.experts;
  expert[a] = select(a % sizes.experts, ${NONE}, mask[a / sizes.topK] == 0.0);
}`;
