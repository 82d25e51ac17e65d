// Where experts' rows begin, on software adapters: one invocation walks all experts.

import type { KernelSource } from "../kernel";
import { NONE } from "./none";

/** The body of `expertScan`, given WGSL of `listParts`. */
export function expertScan(listParts: string): KernelSource {
  return {
    form: "items",
    items: 1,
    vectors: { parts: "vec4u" },
    wgsl: /* wgsl */ `
fn rowsOf(e: u32) -> u32 { return u32(load[e]); }
${listParts}
fn run(i: u32) {
  var firstTile = 0u;
  for (var e = 0u; e < sizes.experts; e++) {
    var before = 0u;
    for (var chunk = 0u; chunk < sizes.chunks; chunk++) {
      let at = chunk * sizes.experts + e;
      let count = counts[at];
      counts[at] = firstTile * sizes.tile + before;
      before += count;
    }
    let end = firstTile + (before + sizes.tile - 1u) / sizes.tile;
    load[e] = f32(before);
    for (var t = firstTile; t < end; t++) {
      tileExpert[t] = e;
      tileRows[t] = min(sizes.tile, before - (t - firstTile) * sizes.tile);
    }
    firstTile = end;
  }
  for (var t = firstTile; t < sizes.tiles; t++) { tileExpert[t] = ${NONE}; tileRows[t] = 0u; }
  var start = 0u;
  for (var e = 0u; e < sizes.experts; e++) {
    listParts(e, start);
    start += (rowsOf(e) + sizes.tile - 1u) / sizes.tile * sizes.tile;
  }
}`,
  };
}
