// What tests do with the page, as a visitor would.

import { readFile } from "node:fs/promises";
import type { Page } from "playwright-core";

/** Settings of steps of 128 tokens, which a busy machine without a GPU still makes. */
export const small = "batch.size=2&schedule.warmup=2";

/** Milliseconds that training may take there. */
export const LONG = 400_000;

/** Wait until the page says something of how the run is. */
export const status = (page: Page, text: string) =>
  page.getByRole("status").filter({ hasText: text }).first().waitFor({ timeout: LONG });

/** Press the button of a name. */
export const press = (page: Page, name: string) => page.getByRole("button", { name, exact: true }).click();

/** Wait until the page says that something is wrong. */
export const said = (page: Page, text: string) =>
  page.getByRole("alert").filter({ hasText: text }).waitFor({ timeout: LONG });

/** The step that the run is at. */
export const stepOf = (page: Page) => page.locator("progress").evaluate((bar: HTMLProgressElement) => bar.value);

/** What a click on a button downloads. */
export async function downloaded(page: Page, button: string): Promise<Uint8Array> {
  const [download] = await Promise.all([page.waitForEvent("download"), press(page, button)]);
  return readFile(await download.path());
}

/** A line of metrics.jsonl. */
export interface Metrics {
  step: number;
  loss: number;
  split?: string;
}

/** The lines of a text of metrics. */
export const metricsOf = (text: string): Metrics[] =>
  text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
