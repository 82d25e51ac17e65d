// The parts of several split products, and other matrices of few rows, summed to one row each by one kernel: every sum alone
// would take longer to start than to run. Each job has workgroups of its own; in them some lanes stand side by side along
// the columns, four at a time, and where a job has few columns the others share its rows.

import { type KernelTarget, kernel } from "../kernel";

/** Most sums of one dispatch: with the result they make the eight buffers that every adapter binds. */
export const MOST_JOBS = 7;

const WORKGROUP = 256;
/** Lanes that keep a large device busy. */
const ENOUGH_LANES = 32768;

/** One sum: x [rows, cols], cols a multiple of 4, to the elements of y from `to`, a multiple of 4, on. */
export interface SumJob {
  rows: number;
  cols: number;
  to: number;
}

const JOBS = Array.from({ length: MOST_JOBS }, (_, j) => j);

/** The sizes of `sumParts` for up to seven jobs; those that are missing get no workgroups, and may bind what another one binds. */
export function sumPartsSizes(jobs: SumJob[]): Record<string, number> {
  const sizes: Record<string, number> = {};
  let start = 0;
  jobs.forEach(({ rows, cols, to }, j) => {
    const [width, down] = [cols / 4, lanesDown({ rows, cols })];
    const job = { rows, width, to: to / 4, down, start };
    for (const [name, value] of Object.entries(job)) sizes[`${name}${j}`] = value;
    start += Math.ceil((width * down) / WORKGROUP);
  });
  const missing = { rows: 0, width: 0, to: 0, down: 1, start };
  for (const j of JOBS.slice(jobs.length)) {
    for (const [name, value] of Object.entries(missing)) sizes[`${name}${j}`] = value;
  }
  return { ...sizes, workgroups: start };
}

/** Lanes that share the rows of a column: more where columns are few. */
function lanesDown({ rows, cols }: Omit<SumJob, "to">): number {
  let down = 1;
  while (down < 32 && rows > 4 * down && (cols / 4) * down < ENOUGH_LANES) down *= 2;
  return down;
}

/** Whether a sum takes one stage here, at most 32 rows a lane, which is less time than a second stage takes to start. */
export function sumsInOneStage(sum: Omit<SumJob, "to">, { kernelClass }: KernelTarget): boolean {
  return kernelClass === "tiled" && sum.cols % 4 === 0 && sum.rows <= 32 * lanesDown(sum);
}

const jobSizes = JOBS.flatMap((j) => ["rows", "width", "to", "down", "start"].map((name) => `${name}${j}`));

/** y[to_j + c] = sum over r of x_j[r,c] for each job j; buffers x0, x1, …, x6, y. */
export const sumParts = kernel<string, string>({
  name: "sumParts",
  buffers: { ...Object.fromEntries(JOBS.map((j) => [`x${j}`, "read" as const])), y: "write" },
  sizes: Object.fromEntries([...jobSizes, "workgroups"].map((name) => [name, "u32" as const])),
  specialize: false,
  flops: (given) => JOBS.reduce((sum, j) => sum + 4 * given[`rows${j}`]! * given[`width${j}`]!, 0),
  source: ({ workgroups }) => ({
    form: "groups",
    groups: [workgroups!, 1, 1],
    workgroup: WORKGROUP,
    vectors: Object.fromEntries([...JOBS.map((j) => `x${j}`), "y"].map((name) => [name, "vec4f"])),
    wgsl: /* wgsl */ `
var<workgroup> sums: array<vec4f, ${WORKGROUP}>;
${JOBS.map(rowsOf).join("")}
fn run(group: vec3u, lane: u32) {
  var job = 0u;
  var place = vec4u(); // start, width, to, down
  ${JOBS.map((j) => `if (group.x >= sizes.start${j}) { job = ${j}u; place = vec4u(sizes.start${j}, sizes.width${j}, sizes.to${j}, sizes.down${j}); }`).join("\n  ")}
  let down = place.w;
  let across = ${WORKGROUP}u / down;
  let column = (group.x - place.x) * across + lane % across;
  let exists = column < place.y;
  var own = vec4f();
  if (exists) {
    switch (job) {
      ${JOBS.map((j) => `${j === 0 ? "default" : `case ${j}u`}: { own = rows${j}(lane / across, column); }`).join("\n      ")}
    }
  }
  // Lanes past the first row of lanes hand their sums to it, in a fixed order.
  if (down > 1u) {
    sums[lane] = own;
    for (var half = down / 2u; half > 0u; half /= 2u) {
      workgroupBarrier();
      if (lane < half * across) { sums[lane] += sums[lane + half * across]; }
    }
    own = sums[lane];
  }
  if (lane < across && exists) { y[place.z + column] = own; }
}`,
  }),
});

/** WGSL for what one lane sums of job j: every so many rows, from its first on; four are on their way at once. */
function rowsOf(j: number): string {
  const row = (i: number) => `x${j}[(r + ${i}u * sizes.down${j}) * sizes.width${j} + column]`;
  return /* wgsl */ `
fn rows${j}(first: u32, column: u32) -> vec4f {
  var total = vec4f();
  var r = first;
  for (; r + 3u * sizes.down${j} < sizes.rows${j}; r += 4u * sizes.down${j}) {
    let four = array<vec4f, 4>(${[0, 1, 2, 3].map(row).join(", ")});
    total = total + four[0] + four[1] + four[2] + four[3];
  }
  for (; r < sizes.rows${j}; r += sizes.down${j}) { total += ${row(0)}; }
  return total;
}`;
}
