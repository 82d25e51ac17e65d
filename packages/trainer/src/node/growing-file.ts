import { appendFile } from "node:fs/promises";
import { syncFile } from "./whole-file";

/** Milliseconds between the beginnings of two writes: a short step would wait longer for a write of its own than for its figures. */
const EVERY = 100;

/** A file that grows at its end. */
export interface GrowingFile {
  /** Add to the end; what is added is in the file a tenth of a second later, or when `flush` resolves. Throws what an earlier write failed with. */
  append(part: string | Uint8Array): Promise<void>;
  /** Have in the file what was added; throws what a write failed with. */
  flush(): Promise<void>;
  /** Have it on disk too. */
  sync(): Promise<void>;
}

/** Let a file grow, which is made when the first part is written. */
export function growingFile(path: string): GrowingFile {
  let parts: (string | Uint8Array)[] = [];
  let began = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  let writing = Promise.resolve();
  let failed = false;

  /** A write that failed fails those behind it, so that nothing is written after a gap. */
  function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    if (parts.length > 0) {
      const bytes = Buffer.concat(parts.map((part) => Buffer.from(part)));
      parts = [];
      began = performance.now();
      writing = writing.then(() => appendFile(path, bytes));
      writing.catch(() => {
        failed = true;
      });
    }
    return writing;
  }

  return {
    flush,
    async append(part) {
      if (failed) await writing;
      parts.push(part);
      const rest = began + EVERY - performance.now();
      if (rest <= 0)
        flush(); // and go on: whoever adds next is told how it went
      else timer ??= setTimeout(flush, rest);
    },
    async sync() {
      await flush();
      await syncFile(path);
    },
  };
}
