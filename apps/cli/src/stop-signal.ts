/** Aborts when a person or the system asks to stop; the second time, the process ends at once. */
export function stopSignal(): AbortSignal {
  const stop = new AbortController();
  let asked = 0;
  const interrupt = () => {
    // One Ctrl-C can arrive twice, from the terminal and from a launcher; a person takes longer to press it again.
    if (stop.signal.aborted && performance.now() - asked > 500) process.exit(130);
    if (!stop.signal.aborted) asked = performance.now();
    stop.abort();
  };
  process.on("SIGINT", interrupt).on("SIGTERM", interrupt);
  return stop.signal;
}
