/** A line at the bottom of a terminal that changes; nothing in a pipe. */
export interface StatusLine {
  show(text: string): void;
  clear(): void;
}

/** How often the line changes at most. */
const INTERVAL = 100;

/** Start a status line, empty. */
export function statusLine(stream: NodeJS.WriteStream = process.stdout): StatusLine {
  let shown = Number.NEGATIVE_INFINITY;
  if (!stream.isTTY) return { show() {}, clear() {} };
  return {
    show(text) {
      if (performance.now() - shown < INTERVAL) return;
      shown = performance.now();
      stream.write(`\r\x1b[K${text.slice(0, stream.columns - 1)}`);
    },
    clear() {
      stream.write("\r\x1b[K");
    },
  };
}
