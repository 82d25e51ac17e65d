import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { progressDisplay } from "./progress";

/** A stream that keeps what is written. */
function openStream(isTTY: boolean, columns = 80) {
  const chunks: string[] = [];
  const stream = Object.assign(new PassThrough(), { isTTY, columns });
  stream.on("data", (chunk) => chunks.push(String(chunk)));
  return { stream: stream as unknown as NodeJS.WriteStream, raw: () => chunks.join("") };
}

const at = (step: number, elapsedSeconds: number) => ({
  step,
  loss: 3,
  lr: 0.0015,
  gradNorm: 1.2345,
  tokensPerSecond: 12_345,
  elapsedSeconds,
});

test("a pipe gets the first step, one in `every`, and the last", () => {
  const { stream, raw } = openStream(false);
  const display = progressDisplay(25, 0, 10, stream);
  for (let step = 1; step <= 25; step++) display.update(at(step, step));
  display.print("validation");
  display.stop();
  expect(raw().split("\n")).toEqual([
    "step  1/25  loss 3.0000  lr 1.50e-3  grad 1.23  12.3k tokens/s  ETA 24s",
    "step 10/25  loss 3.0000  lr 1.50e-3  grad 1.23  12.3k tokens/s  ETA 15s",
    "step 20/25  loss 3.0000  lr 1.50e-3  grad 1.23  12.3k tokens/s  ETA 5s",
    "step 25/25  loss 3.0000  lr 1.50e-3  grad 1.23  12.3k tokens/s  ETA 0s",
    "validation",
    "",
  ]);
});

test.each([false, true])("the time left counts the steps of this run alone (terminal: %s)", (isTTY) => {
  const { stream, raw } = openStream(isTTY);
  const display = progressDisplay(200, 100, 1, stream);
  display.update(at(110, 10));
  display.stop();
  expect(raw()).toContain("ETA 1m30s");
});

test.each([false, true])("the time left does not count what came before the first step (terminal: %s)", (isTTY) => {
  const { stream, raw } = openStream(isTTY);
  const display = progressDisplay(100, 0, 1, stream);
  display.update(at(1, 60)); // a minute of compiling
  display.update(at(11, 65));
  display.stop();
  expect(raw()).toContain(isTTY ? "ETA 45s" : "11/100  loss 3.0000  lr 1.50e-3  grad 1.23  12.3k tokens/s  ETA 45s");
});

test("a terminal shows one bar: printed text takes its line, and the last state stays", () => {
  const { stream, raw } = openStream(true);
  const display = progressDisplay(300, 0, 10, stream);
  display.update(at(150, 150));
  display.print("3.2 bits per byte");
  display.update(at(300, 300));
  display.stop();
  const screen = shown(raw());
  expect(screen).toHaveLength(2);
  expect(screen[0]).toBe("3.2 bits per byte");
  expect(screen[1]).toMatch(/^ {2}█+ 300\/300 {2}loss 3.000 {2}ETA 0s {2}12.3k tokens\/s {2}lr 1.50e-3$/);
  expect(screen[1]!.length).toBeLessThan(80);
});

test.each([
  [40, "loss 3.000"],
  [60, "loss 3.000  ETA 1m30s  lr 1.50e-3"],
  [120, "loss 3.000  ETA 1m30s  12.3k tokens/s  lr 1.50e-3  grad 1.23"],
])("on a terminal %i wide the bar shows what has room", (columns, expected) => {
  const { stream, raw } = openStream(true, columns);
  const display = progressDisplay(20_000, 10_000, 10, stream);
  display.update(at(10_000 + 5_000, 45));
  display.update({ ...at(10_000 + 5_000, 90) });
  display.stop();
  const [line] = shown(raw());
  expect(line).toContain(`15000/20000  ${expected}`);
  expect(line!.trimEnd().endsWith(expected)).toBe(true);
  expect(line!.length).toBeLessThan(columns);
});

/** What stands on the screen after the output: as much of a terminal as the bar uses. */
function shown(output: string): string[] {
  const rows = [""];
  let row = 0;
  let column = 0;
  let saved = [0, 0];
  for (const [token] of output.replaceAll("\x1b", "␛").matchAll(/␛(?:7|8|\[[?\d;]*[A-Za-z])|[\s\S]/gu)) {
    if (token === "\n") {
      row++;
      column = 0;
      rows[row] ??= "";
    } else if (token === "\r") column = 0;
    else if (token === "␛7") saved = [row, column];
    else if (token === "␛8") [row, column] = saved as [number, number];
    else if (/^␛\[\d*A$/.test(token)) row -= Number(token.slice(2, -1) || 1);
    else if (/^␛\[\d*G$/.test(token)) column = Number(token.slice(2, -1) || 1) - 1;
    else if (/^␛\[0?K$/.test(token)) rows[row] = rows[row]!.slice(0, column);
    else if (!token.startsWith("␛")) {
      rows[row] = rows[row]!.padEnd(column).slice(0, column) + token + rows[row]!.slice(column + 1);
      column++;
    }
  }
  return rows.filter((line) => line.trim() !== "");
}
