import type { DispatchTime } from "@webmoe/webgpu";

/** A step as a trace that chrome://tracing and ui.perfetto.dev show: one bar a dispatch, one row a family of kernels. */
export function chromeTrace(times: DispatchTime[], title: string): string {
  const families = [...new Set(times.map(({ kernel }) => family(kernel)))];
  const process = { pid: 1 };
  return JSON.stringify({
    displayTimeUnit: "ms",
    traceEvents: [
      { ...process, ph: "M", name: "process_name", args: { name: title } },
      ...families.map((name, tid) => ({ ...process, ph: "M", name: "thread_name", tid, args: { name } })),
      ...times.map(({ kernel, sizes, start, microseconds, flops, bytes }) => ({
        ...process,
        tid: families.indexOf(family(kernel)),
        ph: "X",
        name: kernel,
        ts: start,
        dur: microseconds,
        args: { sizes, flops, bytes },
      })),
    ],
  });
}

/** The first word of a name in camel case: "groupedMatmul" and "groupedWeightGradient" are both "grouped". */
function family(kernel: string): string {
  return /^[a-z0-9]+/.exec(kernel)?.[0] ?? kernel;
}
