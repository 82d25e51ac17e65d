import { FRAGMENT } from "./matrix-shape";

/** WGSL types of fragments: two operands of f16, and their sum of products in f32. */
export const fragmentTypes = `\
alias Left = subgroup_matrix_left<f16, ${FRAGMENT}, ${FRAGMENT}>;
alias Right = subgroup_matrix_right<f16, ${FRAGMENT}, ${FRAGMENT}>;
alias Result = subgroup_matrix_result<f32, ${FRAGMENT}, ${FRAGMENT}>;`;

/** WGSL function that rounds eight numbers to f16, as `packHalves` lays them out. */
export const halfs = `\
fn halfs(low: vec4f, high: vec4f) -> vec4u {
  return vec4u(pack2x16float(low.xy), pack2x16float(low.zw), pack2x16float(high.xy), pack2x16float(high.zw));
}`;
