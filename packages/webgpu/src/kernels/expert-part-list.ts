// The list of expert-parts.ts where some experts can have more rows than a part.

import { NONE } from "./none";

/** `listParts(e, start)`, where rows are cut: whole parts first, then what is left of every expert, the longest first; then none. */
export const listCut = /* wgsl */ `
fn sparesOf(e: u32) -> u32 { return (max(rowsOf(e), 1u) - 1u) / sizes.most; }
fn listParts(e: u32, start: u32) {
  let own = sparesOf(e);
  let rest = rowsOf(e) - own * sizes.most;
  var all = 0u;
  var before = 0u;
  var longer = 0u;
  for (var other = 0u; other < sizes.experts; other++) {
    let spares = sparesOf(other);
    let left = rowsOf(other) - spares * sizes.most;
    all += spares;
    if (other < e) { before += spares; }
    if (left > rest || (left == rest && other < e)) { longer++; }
  }
  for (var i = 0u; i < own; i++) { parts[before + i] = vec4u(start + i * sizes.most, sizes.most, e, before + i); }
  parts[all + longer] = vec4u(start + own * sizes.most, rest, e, ${NONE});
  if (e == 0u) {
    for (var at = all + sizes.experts; at < sizes.experts + sizes.spares; at++) { parts[at] = vec4u(${NONE}); }
  }
}`;
