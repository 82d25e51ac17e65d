import type { Page } from "playwright-core";

/** What the main thread of a page did. */
export interface MainThread {
  tasks: number;
  /** Tasks of more than 50 ms, and the longest in ms: by the clock, which on a busy machine counts waiting for a processor too. */
  clock: { over50: number; longest: number };
  /** The same by the thread's own time on a processor. */
  processor: { over50: number; longest: number };
}

interface TraceEvent {
  name: string;
  ph: string;
  pid: number;
  tid: number;
  /** Microseconds; the thread's own are missing where a task was not over when the trace ended. */
  dur?: number;
  tdur?: number;
  args?: { name?: string };
}

/** Watch the tasks of a page's main thread; the result ends that and says what it did. */
export async function watchMainThread(page: Page): Promise<() => Promise<MainThread>> {
  const devtools = await page.context().newCDPSession(page);
  const events: TraceEvent[] = [];
  devtools.on("Tracing.dataCollected", ({ value }) => events.push(...(value as unknown as TraceEvent[])));
  const includedCategories = ["disabled-by-default-devtools.timeline"];
  await devtools.send("Tracing.start", { transferMode: "ReportEvents", traceConfig: { includedCategories } });
  return async () => {
    const complete = new Promise((resolve) => devtools.once("Tracing.tracingComplete", resolve));
    await devtools.send("Tracing.end");
    await complete;
    const main = events.find(({ name, args }) => name === "thread_name" && args?.name === "CrRendererMain");
    if (!main) throw new Error("trace: needs the page's main thread, got none");
    const tasks = events.filter(({ name, pid, tid }) => name === "RunTask" && pid === main.pid && tid === main.tid);
    const summary = (field: "dur" | "tdur") => {
      const ms = tasks.flatMap((task) => task[field] ?? []).map((microseconds) => microseconds / 1000);
      return { over50: ms.filter((time) => time > 50).length, longest: Math.round(Math.max(0, ...ms)) };
    };
    return { tasks: tasks.length, clock: summary("dur"), processor: summary("tdur") };
  };
}
