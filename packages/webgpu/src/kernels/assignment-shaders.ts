// The shaders of assignment-products.ts. Each reads an operand as vectors of `lanes` elements, or as elements.

import type { Wide } from "./wide";

/** The shader of `assignmentProduct`. */
export const product = ({ lanes, dot }: Wide): string => /* wgsl */ `
fn run(row: u32) {
  let width = sizes.in / ${lanes}u;
  let a = row / sizes.out;
  let token = a / sizes.each * width;
  let e = expert[a];
  var sum = 0.0;
  if (e < sizes.experts) {
    let matrix = (e * sizes.out + row % sizes.out) * width;
    for (var k = first(); k < width; k += step()) { sum += ${dot("x[token + k]", "weight[matrix + k]")}; }
  }
  sum = rowSum(sum);
  if (isFirst()) { y[row] = sum; }
}`;

/** The shader of `assignmentGate`; `activation` makes `value` of `g`. */
export const gate = ({ lanes, dot }: Wide, activation: string): string => /* wgsl */ `
alias Wide = f32;
fn run(row: u32) {
  let width = sizes.in / ${lanes}u;
  let a = row / sizes.out;
  let token = a / sizes.each * width;
  let e = expert[a];
  var g = 0.0;
  var up = 0.0;
  if (e < sizes.experts) {
    let gates = (2u * e * sizes.out + row % sizes.out) * width;
    let ups = gates + sizes.out * width;
    for (var k = first(); k < width; k += step()) {
      let element = x[token + k];
      g += ${dot("element", "weight[gates + k]")};
      up += ${dot("element", "weight[ups + k]")};
    }
  }
  g = rowSum(g);
  up = rowSum(up);
  if (isFirst()) {${activation}
    y[row] = value * up;
  }
}`;

/** The shader of `assignmentSum`. */
export const sum = ({ lanes, dot }: Wide): string => /* wgsl */ `
fn run(row: u32) {
  let width = sizes.in / ${lanes}u;
  let start = row / sizes.out * sizes.each;
  var total = 0.0;
  for (var a = start; a < start + sizes.each; a++) {
    let e = expert[a];
    if (e < sizes.experts) {
      let matrix = (e * sizes.out + row % sizes.out) * width;
      var sum = 0.0;
      for (var k = first(); k < width; k += step()) { sum += ${dot("y[a * width + k]", "weight[matrix + k]")}; }
      total += share[a] * sum;
    }
  }
  total = rowSum(total);
  if (isFirst()) { out[row] = total; }
}`;
