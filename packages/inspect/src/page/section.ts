import { element, escapeText } from "./markup";

/** 0.123 as "12.3 %", with a space that does not break. */
export const percent = (share: number, digits = 1) => `${(100 * share).toFixed(digits)}\u00a0%`;

/** A heading, a sentence or two of markup, and content. */
export function section(heading: string, text: string, ...content: string[]): string {
  return `<section><h2>${escapeText(heading)}</h2><p class="soft">${text}</p>${content.join("\n")}</section>`;
}

/** A table of text; columns of `words` are set as words, others as numbers. */
export function table(head: string[], rows: string[][], words: number[] = []): string {
  const row = (cells: string[], name: "th" | "td") =>
    `<tr>${cells.map((cell, i) => element(name, { class: words.includes(i) ? "words" : undefined }, escapeText(cell))).join("")}</tr>`;
  return `<div class="table" tabindex="0"><table><thead>${row(head, "th")}</thead><tbody>${rows.map((cells) => row(cells, "td")).join("")}</tbody></table></div>`;
}
