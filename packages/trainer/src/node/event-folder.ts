// TensorBoard's files of a run folder, events.out.tfevents.TIME.HOST. Each process that trains writes a file of its own, which
// begins by saying where it goes on; what earlier files have after that step is cut off.

import { readdir, readFile, truncate } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { type EventContent, eventRecord } from "../tensorboard/event";
import { readEvents } from "../tensorboard/read-events";
import { recordScalars } from "../tensorboard/record-scalars";
import { type GrowingFile, growingFile } from "./growing-file";

const PREFIX = "events.out.tfevents.";

/** Curves for TensorBoard in a run folder. */
export interface EventFolder {
  /** Begin a file after `step`, and cut what is there of later steps. */
  begin(step: number): Promise<void>;
  /** Add a record of metrics.jsonl. */
  append(record: Record<string, unknown>): Promise<void>;
  /** Have in the file what was added. */
  flush(): Promise<void>;
  /** Have it on disk too. */
  sync(): Promise<void>;
}

/** The event files of a run folder. Nothing is written before `begin`. */
export function eventFolder(path: string): EventFolder {
  let file: GrowingFile | undefined;
  const write = async (content: EventContent) => file!.append(eventRecord(Date.now() / 1000, content));
  return {
    async begin(step) {
      await file?.flush();
      const names = (await readdir(path)).filter((name) => name.startsWith(PREFIX)).sort();
      for (const name of names) await cutAfter(join(path, name), step);
      const time = Math.max(Math.floor(Date.now() / 1000), ...names.map((name) => timeOf(name) + 1));
      file = growingFile(join(path, `${PREFIX}${time}.${hostname()}`));
      await write({ kind: "version" });
      await write({ kind: "start", step: step + 1 });
      await file.flush();
    },
    async append(record) {
      if (!file) return;
      await write({ kind: "scalars", step: Number(record.step), values: recordScalars(record) });
    },
    async flush() {
      await file?.flush();
    },
    async sync() {
      await file?.sync();
    },
  };
}

/** Files are read in the order of their names. */
const timeOf = (name: string) => Number.parseInt(name.slice(PREFIX.length), 10) || 0;

/** Shorten a file to what is whole and of steps up to `step`. */
async function cutAfter(file: string, step: number): Promise<void> {
  const bytes = await readFile(file);
  let end = 0;
  for (const event of readEvents(bytes)) {
    if (event.step > step && event.scalars) break;
    end = event.end;
  }
  if (end < bytes.length) await truncate(file, end);
}
