import { stripVTControlCharacters } from "node:util";
import color from "picocolors";

/**
 * Items one after another behind a head, on as many lines as it takes where a line has room for `width` characters (by default
 * as the terminal; where there is none, on one line). Lines after the first begin under the first item.
 */
export function flow(head: string, items: string[], gap = "  ", width = process.stdout.columns): string {
  const lengthOf = (text: string) => stripVTControlCharacters(text).length;
  const indent = lengthOf(head);
  const most = width ?? Number.POSITIVE_INFINITY;
  let text = head;
  let length = indent;
  items.forEach((item, index) => {
    const begins = index === 0;
    const fits = begins || length + gap.length + lengthOf(item) <= most;
    if (!fits) length = indent;
    text += (begins ? "" : fits ? gap : `\n${" ".repeat(indent)}`) + item;
    length += (fits && !begins ? gap.length : 0) + lengthOf(item);
  });
  return text;
}

/** Words behind a short title, which flow on under the first of them. */
export function titled(title: string, text: string, width = process.stdout.columns): string {
  return flow(`${color.bold(title.padEnd(8))} `, text.split(" "), " ", width);
}
