// The shader of add-spares.ts: a spare sum's workgroups, side by side for one product or two.

import type { KernelSource, KernelTarget } from "../kernel";
import { NONE } from "./none";
import type { wide } from "./wide";

const WORKGROUP = 256;
/** Vectors of an invocation. */
const VECTORS = 4;

/** The body of `addSpares`, or of `addSparesOfTwo` for sizes of two. */
export function addition(sizes: Record<string, number>, target: KernelTarget, inVectors: typeof wide): KernelSource {
  const products = "width1" in sizes ? [0, 1] : [0];
  let across = 0;
  const shares = products.map((p) => {
    const { lanes, vectors } = inVectors(target, sizes[`width${p}`]!, [`spare${p}`, `dweight${p}`]);
    const start = across;
    across += Math.ceil(sizes[`width${p}`]! / lanes / (WORKGROUP * VECTORS));
    const call = `if (group.x >= ${start}u && group.x < ${across}u) { add${p}(group.z, group.x - ${start}u, lane); }`;
    return { text: add(p, lanes), call, vectors: { ...vectors, [`parts${p}`]: "vec4u" } };
  });
  return {
    form: "groups",
    groups: [across, 1, Math.max(...products.map((p) => sizes[`spares${p}`]!))],
    workgroup: WORKGROUP,
    vectors: Object.assign({}, ...shares.map(({ vectors }) => vectors)),
    wgsl: `${shares.map(({ text }) => text).join("")}
fn run(group: vec3u, lane: u32) {
${shares.map(({ call }) => call).join("\n")}
}`,
  };
}

/** The workgroups of an expert's first spare sum add all of that expert; those of others, and of none, leave at once. */
function add(p: number, lanes: number): string {
  return /* wgsl */ `
fn add${p}(first: u32, group: u32, lane: u32) {
  // Part s of the list writes spare sum s.
  if (first >= sizes.spares${p} || parts${p}[first].w == ${NONE}) { return; }
  let expert = parts${p}[first].z;
  if (first > 0u && parts${p}[first - 1u].z == expert) { return; }
  var end = first + 1u;
  while (end < sizes.spares${p} && parts${p}[end].w != ${NONE} && parts${p}[end].z == expert) { end++; }
  let width = sizes.width${p} / ${lanes}u;
  for (var i = 0u; i < ${VECTORS}u; i++) {
    let at = (group * ${VECTORS}u + i) * ${WORKGROUP}u + lane;
    if (at >= width) { break; }
    var total = dweight${p}[expert * width + at];
    for (var s = first; s < end; s++) { total += spare${p}[s * width + at]; }
    dweight${p}[expert * width + at] = total;
  }
}`;
}
