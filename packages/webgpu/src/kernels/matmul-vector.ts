// The product in f32 with vectors of four all the way. A workgroup computes a square tile of c, an invocation 8 x 8 of it:
// 4 x 4 at its place and again half a tile further down, to the right, and both. Per step along the sum:
//
//   memory ──4 x 4 block──> registers ──turned where needed──> strips [step, size / 4] of vec4f ──> 64 sums in registers
//             \_ of the next step, while this one multiplies
//
// Half of the invocations bring a block of a each, the others one of b, so a step is an eighth of the tile's side, and two
// workgroups fit a multiprocessor with 48 KiB of workgroup memory.
//
// Workgroup memory decides the speed. A warp of 32 takes 8 x 4 places of the tile in zigzag, so that neighbours read the same
// vectors; strips have rows of an odd number of vectors, and a block that is turned goes in from lanes that go down the rows
// first, so that no eight neighbours meet in one bank.

import type { KernelSource, KernelTarget } from "../kernel";
import { each, resultVectors, storeResult } from "./matmul-parts";
import type { MatrixOperand, MatrixProduct } from "./matmul-product";
import { DEVICE, hasAmpleMemory } from "./matrix-shape";

const AXES = "xyzw";

/** Side of a workgroup's tile. */
export type VectorTile = 64 | 128;

/** Elements along the sum of a step. */
const stepOf = (size: VectorTile) => size / 8;

/** Vectors from one row of a strip to the next. */
const strideOf = (size: VectorTile) => size / 4 + 1;

/** Whether vectors of four compute products of these sizes on a target, and with which tile; that of 128 takes 17 to 26 KB. */
export function vectorTile(
  { m, n, k }: { m: number; n: number; k: number },
  { transposeA, transposeB }: { transposeA: boolean; transposeB: boolean },
  products: number,
  target: KernelTarget,
): VectorTile | undefined {
  const whole = n % 4 === 0 && k % stepOf(64) === 0 && (!transposeA || m % 4 === 0) && (transposeB || n % 4 === 0);
  if (target.kernelClass !== "tiled" || !whole || Math.min(m, n) < 32) return undefined;
  const tiles = Math.ceil(m / 128) * Math.ceil(n / 128) * products;
  return k % stepOf(128) === 0 && tiles >= DEVICE && hasAmpleMemory(target) ? 128 : 64;
}

/** Vectors of workgroup memory of which a multiprocessor holds one workgroup's, but not two. */
const ALONE = 1600;

/**
 * Vectors to declare for a's strips. Two workgroups on one multiprocessor may end together, and the two that follow go to it
 * together as well: of three rounds of one workgroup a multiprocessor that makes four, with half of the device idle in the last
 * two. Written out, a workgroup alone is as fast as two, so there it has the multiprocessor to itself.
 */
function stripsOf(size: VectorTile, workgroups: number, writtenOut = false): number {
  const strips = stepOf(size) * strideOf(size);
  const alone = writtenOut && size === 128 && Math.ceil(workgroups / DEVICE) === 3;
  return alone ? Math.max(strips, ALONE - strips) : strips;
}

/** `products` products, one workgroup a tile. */
export function vectorMatmul(
  product: MatrixProduct,
  size: VectorTile,
  { writtenOut }: Pick<KernelTarget, "writtenOut">,
): KernelSource {
  const { products, depthVaries } = product;
  const [m, n, depth] = [product.m.value, product.n.value, product.depth.value];
  const step = stepOf(size);
  const side = size / 8;
  const threads = side * side;
  const stride = strideOf(size);
  const a = stageBlock(product.a, "a", "firstRow", size);
  const b = stageBlock(product.b, "b", "firstColumn", size);
  const known = !depthVaries;
  const rounds = known ? `${depth / step}u` : "rounds";
  const byHalves = (first: string, second: string) =>
    `    if (lane < ${threads / 2}u) {\n${first}\n    } else {\n${second}\n    }`;
  const sums = [0, 1].flatMap((down) =>
    [0, 1, 2, 3].flatMap((i) => [0, 1].map((across) => [down, i, across] as const)),
  );
  const read = (k: string, set = "") => `
      let a0${set} = tileA[${k} * ${stride}u + laneRow];
      let a1${set} = tileA[${k} * ${stride}u + laneRow + ${side}u];
      let b0${set} = tileB[${k} * ${stride}u + laneColumn];
      let b1${set} = tileB[${k} * ${stride}u + laneColumn + ${side}u];`;
  const multiply = (set = "") =>
    sums.map(([down, i, across]) => {
      const sum = `sum${down}${i}${across}`;
      return `\n      ${sum} = fma(vec4f(a${down}${set}.${AXES[i]}), b${across}${set}, ${sum});`;
    });
  // Written out, the vectors of the next place along the sum are read while those of this one are multiplied.
  const ahead = (k: number) => (k < step ? read(`${k}u`, `_${k}`) : "");
  const multiplyAll = writtenOut
    ? `${ahead(0)}${each(step, (k) => [ahead(k + 1), ...multiply(`_${k}`)].join(""))}`
    : `    for (var k = 0u; k < ${step}u; k++) {${[read("k"), ...multiply()].join("")}\n    }`;
  const write = ([down, i, across]: readonly [number, number, number]) => {
    const conditions = [
      m % size === 0 ? "" : `row + ${down * (size / 2) + i}u < ${m}u`,
      n % size === 0 ? "" : `column + ${across * side}u < ${n / 4}u`,
    ].filter(Boolean);
    const at = `resultAt + ${(down * (size / 2) + i) * (n / 4) + across * side}u`;
    const text = storeResult(product, at, `sum${down}${i}${across}`);
    return conditions.length === 0 ? `  ${text}` : `  if (${conditions.join(" && ")}) { ${text} }`;
  };
  const warpsDown = side / 8;
  const tiles = Math.ceil(n / size) * Math.ceil(m / size);
  return {
    form: "groups",
    groups: [tiles, 1, products],
    workgroup: threads,
    vectors: {
      [product.a.buffer]: "vec4f",
      [product.b.buffer]: "vec4f",
      ...Object.fromEntries([product.a, product.b].flatMap(({ gather }) => (gather ? [[gather.buffer, "vec4u"]] : []))),
      ...resultVectors(product, "vec4f"),
    },
    wgsl: `
var<workgroup> tileA: array<vec4f, ${stripsOf(size, tiles * products, writtenOut)}>;
var<workgroup> tileB: array<vec4f, ${step * stride}>;
${product.functions ?? ""}
fn run(group: vec3u, index: u32) {
  let lane = index % ${threads}u;
  let product = group.z;
  let tileRow = group.x / ${Math.ceil(n / size)}u;
  let firstRow = tileRow * ${size}u;
  let firstColumn = group.x % ${Math.ceil(n / size)}u * ${size}u;
  ${product.setup}
  ${known ? "" : `let rounds = (${product.depth.wgsl} + ${step - 1}u) / ${step}u;`}
  let laneRow = lane / 2u % 8u + lane / 32u % ${warpsDown}u * 8u;
  let laneColumn = lane % 2u + lane / 16u % 2u * 2u + lane / ${32 * warpsDown}u * 4u;
  let stager = lane % ${threads / 2}u;
${a.declare}
${b.declare}
${each(4, (i) => `  var block${i} = vec4f();`)}
${sums.map(([down, i, across]) => `  var sum${down}${i}${across} = vec4f();`).join("\n")}
  ${known ? "" : "if (rounds > 0u) {"}
${byHalves(a.load("0u"), b.load("0u"))}
  ${known ? "" : "}"}
  for (var round = 0u; round < ${Math.ceil(depth / step)}u; round++) {
    ${known ? "" : "if (round >= rounds) { break; }"}
    workgroupBarrier();
${byHalves(a.store, b.store)}
    workgroupBarrier();
    if (round + 1u < ${rounds}) {
${byHalves(a.load("(round + 1u)"), b.load("(round + 1u)"))}
    }
${multiplyAll}
  }
  let row = firstRow + laneRow * 4u;
  let column = firstColumn / 4u + laneColumn;
  let resultAt = (${product.startC}) / 4u + row * ${n / 4}u + column;
${sums.map(write).join("\n")}
}`,
  };
}

/** The way of a 4 x 4 block of an operand into its strip, through the registers of invocation number `stager` of its half. */
function stageBlock(operand: MatrixOperand, name: "a" | "b", origin: string, size: VectorTile) {
  const { alongSum, buffer, gather } = operand;
  const [rowLength, extent] = [operand.rowLength.value, operand.extent.value];
  const step = stepOf(size);
  const across = (alongSum ? step : size) / 4;
  const ragged = extent % size !== 0;
  const strip = `tile${name.toUpperCase()}`;
  const [along, rows] = alongSum ? ["Column", "Row"] : ["Row", "Column"];
  // A warp reads whole stretches of rows.
  const declare = alongSum
    ? [
        `let ${name}Column = stager % 2u + stager / 8u % ${across / 2}u * 2u;`,
        `let ${name}Row = stager / 2u % 4u + stager / ${4 * across}u * 4u;`,
      ]
    : [`let ${name}Column = stager % ${across}u;`, `let ${name}Row = stager / ${across}u;`];
  let at: (i: number, round: string) => string;
  let next: ((round: string) => string) | undefined;
  // The rows in memory of a block's four rows are read at once: one by one they took a third of the time.
  const fourRows = (block: string) => `${gather?.buffer}[(${gather?.first}) / 4u + ${block}]`;
  if (alongSum) {
    const firstOfBlock = `${origin} + ${name}Row * 4u`;
    if (gather) declare.push(`let ${name}Rows = ${fourRows(`(${firstOfBlock}) / 4u`)};`);
    const plain = !ragged && !gather;
    for (let i = 0; i < (plain ? 1 : 4); i++) {
      const index = ragged ? `min(${firstOfBlock} + ${i}u, ${extent - 1}u)` : `${firstOfBlock} + ${i}u`;
      const row = gather ? `${name}Rows.${AXES[i]}` : index;
      declare.push(`let ${name}From${i} = (${operand.start}) / 4u + (${row}) * ${rowLength / 4}u + ${name}Column;`);
    }
    at = (i, round) =>
      plain
        ? `${name}From0 + ${(i * rowLength) / 4}u + ${round} * ${step / 4}u`
        : `${name}From${i} + ${round} * ${step / 4}u`;
  } else {
    const index = `${origin} / 4u + ${name}Column`;
    const column = ragged ? `min(${index}, ${Math.ceil(extent / 4) - 1}u)` : index;
    declare.push(`let ${name}From = (${operand.start}) / 4u + ${column};`);
    if (gather) {
      // As in matrix-operand.ts: rows that are read from memory are read one round ahead.
      const rowsOf = (round: string) => fourRows(`${round} * ${step / 4}u + ${name}Row`);
      declare.push(`var ${name}Next = ${rowsOf("0u")};`);
      next = (round) => `      ${name}Next = ${rowsOf(`(${round} + 1u)`)};`;
    }
    at = (i, round) => {
      const row = gather ? `${name}Next.${AXES[i]}` : `(${round} * ${step}u + ${name}Row * 4u + ${i}u)`;
      return `${name}From + ${row} * ${rowLength / 4}u`;
    };
  }
  const load = (round: string) =>
    `${each(4, (i) => `      block${i} = ${buffer}[${at(i, round)}];`)}\n${next?.(round) ?? ""}`;
  const turned = (i: number) =>
    alongSum ? `vec4f(${[0, 1, 2, 3].map((j) => `block${j}.${AXES[i]}`).join(", ")})` : `block${i}`;
  const store = each(
    4,
    (i) => `    ${strip}[(${name}${along} * 4u + ${i}u) * ${strideOf(size)}u + ${name}${rows}] = ${turned(i)};`,
  );
  return { declare: declare.map((line) => `  ${line}`).join("\n"), load, store };
}
