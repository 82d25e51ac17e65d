/** The functions that kernels of the "rows" form walk and reduce a row with; see kernel.ts. */
export function rowFunctions(form: { shared: boolean; workgroup: number; subgroups: boolean }): string {
  if (!form.shared) return alone;
  const { workgroup } = form;
  return `
var<private> laneIndex: u32;
${form.subgroups ? "var<private> lanesPerSubgroup: u32;" : ""}
var<workgroup> partial: array<f32, ${workgroup}>;
fn first() -> u32 { return laneIndex; }
fn step() -> u32 { return ${workgroup}u; }
fn isFirst() -> bool { return laneIndex == 0u; }
fn rowBarrier() { storageBarrier(); workgroupBarrier(); }
${reduction("rowSum", "subgroupAdd", (a, b) => `${a} + ${b}`, form)}
${reduction("rowMax", "subgroupMax", (a, b) => `max(${a}, ${b})`, form)}`;
}

const alone = `
fn first() -> u32 { return 0u; }
fn step() -> u32 { return 1u; }
fn isFirst() -> bool { return true; }
fn rowBarrier() {}
fn rowSum(value: f32) -> f32 { return value; }
fn rowMax(value: f32) -> f32 { return value; }`;

function reduction(
  name: string,
  subgroupOp: string,
  combine: (a: string, b: string) => string,
  { workgroup, subgroups }: { workgroup: number; subgroups: boolean },
): string {
  if (subgroups) {
    // Lanes of a subgroup are consecutive local indices on every driver seen; a lane that holds its subgroup's result
    // writes it to the place of its own index, and all lanes then combine the subgroups in the same order.
    return `
fn ${name}(value: f32) -> f32 {
  let mine = ${subgroupOp}(value);
  workgroupBarrier();
  partial[laneIndex] = mine;
  workgroupBarrier();
  var total = partial[0];
  for (var lane = lanesPerSubgroup; lane < ${workgroup}u; lane += lanesPerSubgroup) { total = ${combine("total", "partial[lane]")}; }
  return total;
}`;
  }
  return `
fn ${name}(value: f32) -> f32 {
  workgroupBarrier();
  partial[laneIndex] = value;
  workgroupBarrier();
  for (var half = ${workgroup / 2}u; half > 0u; half /= 2u) {
    if (laneIndex < half) { partial[laneIndex] = ${combine("partial[laneIndex]", "partial[laneIndex + half]")}; }
    workgroupBarrier();
  }
  return partial[0];
}`;
}
