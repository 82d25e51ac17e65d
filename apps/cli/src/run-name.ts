import { basename, extname } from "node:path";

/** The name of what begins at a time: its parts, files by their names without folders, and the time to the second. */
export function runName(parts: string[], time = new Date()): string {
  const stamp = time.toISOString().slice(0, 19).replace(/[-:]/g, "").replace("T", "-");
  const words = parts.map((part) => basename(part, extname(part)).replace(/\W+/g, "-"));
  return [...words, stamp].join("-");
}
