import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { sets, webmoeIn } from "../run-webmoe";

const webmoe = webmoeIn(await mkdtemp(join(tmpdir(), "webmoe-soak-test-")));
const small = sets("model.dim=16", "model.layers=1", "model.context=16", "batch.size=1", "moe.hidden=8");

test("a soak says how memory and speed went, and fails with what is wrong with them alone", async () => {
  const { code, out, error } = await webmoe("soak", "--router", "linear", "--steps", "420", ...small);
  const lines = out.trimEnd().split("\n");
  // Memory is looked at twenty times, and not before it has to be flat.
  expect(lines[0]).toMatch(/^step 210\/420 {2}host [\d.]+ MiB, heap [\d.]+ {2}[\d.]+k? tokens\/s$/);
  expect(lines.slice(0, -5)).toHaveLength(11);
  expect(lines.at(-4)).toMatch(/^host {6}-?\d+ bytes a step after the first 200$/);
  expect(lines.at(-3)).toBe("device    0 bytes a step");
  expect(lines.at(-2)).toMatch(
    /^speed {5}\S+ \(\S+, \S+\) in the first quarter, \S+ \(\S+, \S+\) in the last: [+-][\d.]+ % from beginning to end$/,
  );
  // Whether a busy machine keeps its pace is no business of a test.
  expect(error).toMatch(/^$|^webmoe: soak: (memory grew by \d+ bytes a step|the speed changed by [+-][\d.]+ %), more/);
  expect(code).toBe(error === "" ? 0 : 1);
});

test("a soak of few steps is refused before it begins", async () => {
  const { code, out, error } = await webmoe("soak", "--steps", "399", ...small);
  expect([code, out]).toEqual([2, ""]);
  expect(error).toBe("webmoe: soak: needs at least 400 --steps, got 399\n");
});
