import type { DispatchTime } from "@webmoe/webgpu";
import { tableLines } from "../terminal/columns";
import type { Peaks, PrecisionPeaks } from "./peaks";

/** A kernel at one set of sizes, over a whole step. */
export interface ProfileRow {
  kernel: string;
  sizes: string;
  dispatches: number;
  microseconds: number;
  /** The same of each round, where it is the median of several. */
  rounds?: number[];
  /** Of the sum over all kernels. */
  share: number;
  /** 10^12 floating-point operations a second, where the kernel counts them. */
  teraflops?: number;
  /** 10^9 bytes a second, if everything it binds is moved once. */
  gigabytesPerSecond: number;
  /** The part of its time that it would take at the device's peaks of arithmetic or of bandwidth, whichever is longer. */
  ofFloor?: number;
}

/** Dispatches by kernel and sizes, the longest first. `peaks` are those of the step's own precision. */
export function profileRows(
  times: (DispatchTime & Pick<ProfileRow, "rounds">)[],
  peaks?: PrecisionPeaks,
): ProfileRow[] {
  const total = sum(times, ({ microseconds }) => microseconds);
  const groups = new Map<string, typeof times>();
  for (const time of times) {
    const name = `${time.kernel} ${time.sizes}`;
    groups.set(name, [...(groups.get(name) ?? []), time]);
  }
  return [...groups.values()]
    .map((group): ProfileRow => {
      const microseconds = sum(group, (time) => time.microseconds);
      const flops = sum(group, (time) => time.flops);
      const bytes = sum(group, (time) => time.bytes);
      const { kernel, sizes, rounds } = group[0]!;
      return {
        kernel,
        sizes,
        dispatches: group.length,
        microseconds,
        ...(rounds && { rounds: rounds.map((_, round) => sum(group, (time) => time.rounds![round]!)) }),
        share: microseconds / total,
        ...(flops > 0 && { teraflops: flops / microseconds / 1e6 }),
        gigabytesPerSecond: bytes / microseconds / 1e3,
        ...(peaks && { ofFloor: (1e6 * Math.max(flops / peaks.flops, bytes / peaks.bytes)) / microseconds }),
      };
    })
    .sort((a, b) => b.microseconds - a.microseconds);
}

/** The peaks that kernels of one precision are held against. */
export function peaksOf(peaks: Peaks | undefined, precision: keyof Peaks["flops"]): PrecisionPeaks | undefined {
  return peaks && { flops: peaks.flops[precision], bytes: peaks.bytes };
}

/** Rows as lines of text: time, share, dispatches, rates, kernel. */
export function profileTable(rows: ProfileRow[], most = 30): string {
  const shown = rows.slice(0, most);
  const rest = rows.slice(most);
  const percent = (part: number) => `${(100 * part).toFixed(1)} %`;
  const lines = tableLines<ProfileRow>(
    [
      { head: "us", text: ({ microseconds }) => microseconds.toFixed(1) },
      { head: "share", text: ({ share }) => percent(share) },
      { head: "count", text: ({ dispatches }) => String(dispatches) },
      { head: "TFLOPS", text: ({ teraflops }) => teraflops?.toPrecision(3) ?? "" },
      { head: "GB/s", text: ({ gigabytesPerSecond }) => gigabytesPerSecond.toPrecision(3) },
      { head: "of floor", text: ({ ofFloor }) => (ofFloor === undefined ? "" : percent(ofFloor)) },
      { head: "kernel", align: "left", text: ({ kernel, sizes }) => (sizes ? `${kernel}: ${sizes}` : kernel) },
    ],
    shown,
    { width: Number.POSITIVE_INFINITY }, // kernels and their figures stay together
  );
  const total = sum(rows, ({ microseconds }) => microseconds);
  const dispatches = sum(rows, (row) => row.dispatches);
  if (rest.length > 0) lines.push(`and ${rest.length} more, ${percent(sum(rest, ({ share }) => share))}`);
  return [...lines, `${total.toFixed(1)} us in ${dispatches} dispatches, one after the other`].join("\n");
}

function sum<T>(items: T[], value: (item: T) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}
