import { expect, test } from "vitest";
import { metricsUntil } from "./metrics-until";

test("lines up to a step are read, and something else may happen in between", async () => {
  const text = Array.from(
    { length: 200_000 },
    (_, i) => `${JSON.stringify({ step: i + 1, loss: 1 / (i + 1) })}\n`,
  ).join("");
  let others = 0;
  const other = setInterval(() => others++);
  const lines = await metricsUntil(text, 150_000);
  clearInterval(other);
  expect(lines).toHaveLength(150_000);
  expect(lines[1]).toEqual({ line: '{"step":2,"loss":0.5}', record: { step: 2, loss: 0.5 } });
  expect(others).toBeGreaterThan(0);
});
