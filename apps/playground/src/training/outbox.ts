/** Milliseconds between deliveries: often enough for the eye, seldom enough for the page. */
const PERIOD = 100;

/** Collects events and delivers them together, at most ten times a second. */
export function outbox<Event>(deliver: (events: Event[]) => void): { post(event: Event): void; flush(): void } {
  let waiting: Event[] = [];
  let last = Number.NEGATIVE_INFINITY;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    if (waiting.length === 0) return;
    last = performance.now();
    deliver(waiting);
    waiting = [];
  };
  return {
    post(event) {
      waiting.push(event);
      const rest = last + PERIOD - performance.now();
      if (rest <= 0) flush();
      else timer ??= setTimeout(flush, rest);
    },
    flush,
  };
}
