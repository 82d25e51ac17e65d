/** What is told of being asked to stop. */
export interface StopListener {
  /** The first time: the process goes on until it has a good place to stop. */
  asked?(): void;
  /** The second time, right before the process ends. */
  leaving?(): void;
}

/** What a person is told who asked to stop. */
export const STOPPING = "stopping after this step, with a checkpoint; asked again, it leaves at once";

/** Aborts when a person or the system asks to stop; the second time, the process ends at once. */
export function stopSignal({ asked, leaving }: StopListener = {}): AbortSignal {
  const stop = new AbortController();
  let first = 0;
  const interrupt = () => {
    // One Ctrl-C can arrive twice, from the terminal and from a launcher; a person takes longer to press it again.
    if (stop.signal.aborted && performance.now() - first > 500) {
      leaving?.();
      leave();
    }
    if (stop.signal.aborted) return;
    first = performance.now();
    asked?.();
    stop.abort();
  };
  process.on("SIGINT", interrupt).on("SIGTERM", interrupt);
  return stop.signal;
}

/** Ends the process as Ctrl-C does by default: an exit by Node waits for nothing and crashes where Dawn is compiling shaders. */
function leave(): void {
  process.once("exit", () => {
    process.removeAllListeners("SIGINT");
    process.kill(process.pid, "SIGINT");
  });
  process.exit(130);
}
