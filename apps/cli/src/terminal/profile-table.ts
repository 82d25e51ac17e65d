import type { DispatchTime } from "@webmoe/webgpu";

/** A kernel at one set of sizes, over a whole step. */
export interface ProfileRow {
  kernel: string;
  sizes: string;
  dispatches: number;
  microseconds: number;
  /** Of the sum over all kernels. */
  share: number;
  /** 10^12 floating-point operations a second, where the kernel counts them. */
  teraflops?: number;
}

/** The dispatches of a step by kernel and sizes, the longest first. */
export function profileRows(times: DispatchTime[]): ProfileRow[] {
  const groups = new Map<string, ProfileRow & { flops: number }>();
  const total = times.reduce((sum, { microseconds }) => sum + microseconds, 0);
  for (const { kernel, sizes, microseconds, flops } of times) {
    const name = `${kernel} ${sizes}`;
    const row = groups.get(name) ?? { kernel, sizes, dispatches: 0, microseconds: 0, share: 0, flops: 0 };
    row.dispatches++;
    row.microseconds += microseconds;
    row.flops += flops;
    groups.set(name, row);
  }
  return [...groups.values()]
    .sort((a, b) => b.microseconds - a.microseconds)
    .map(({ flops, ...row }) => ({
      ...row,
      share: row.microseconds / total,
      ...(flops > 0 && { teraflops: flops / row.microseconds / 1e6 }),
    }));
}

/** Rows as lines of text: time, share, dispatches, rate, kernel. */
export function profileTable(rows: ProfileRow[], most = 30): string {
  const total = rows.reduce((sum, { microseconds }) => sum + microseconds, 0);
  const line = (...columns: string[]) =>
    [
      columns[0]!.padStart(10),
      columns[1]!.padStart(7),
      columns[2]!.padStart(6),
      columns[3]!.padStart(8),
      ` ${columns[4]}`,
    ].join(" ");
  return [
    line("us", "share", "count", "TFLOPS", "kernel"),
    ...rows
      .slice(0, most)
      .map(({ microseconds, share, dispatches, teraflops, kernel, sizes }) =>
        line(
          microseconds.toFixed(1),
          `${(100 * share).toFixed(1)} %`,
          String(dispatches),
          teraflops?.toFixed(1) ?? "",
          `${kernel}: ${sizes}`,
        ),
      ),
    line(
      total.toFixed(1),
      "",
      String(rows.reduce((sum, row) => sum + row.dispatches, 0)),
      "",
      "all, one after the other",
    ),
  ].join("\n");
}
