import { join } from "node:path";

/** The path of something in a folder. Names that lead out of it, or mean something else on another system, are refused. */
export function inside(folder: string, name: string): string {
  const parts = name.split("/");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these characters are what is refused.
  const wrong = (part: string) => part === "" || part === "." || part === ".." || /[\\:\u0000-\u001f]/.test(part);
  if (parts.some(wrong)) throw new Error(`data: needs a file name within ${folder}, got ${JSON.stringify(name)}`);
  return join(folder, ...parts);
}
