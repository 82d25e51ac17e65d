import { expect, test } from "vitest";
import { runName } from "./run-name";

test("a run is named for its preset, its router or the file of it, and the time", () => {
  const time = new Date("2026-11-26T02:15:07.890Z");
  expect(runName(["nano", "recurrent+xmoe"], time)).toBe("nano-recurrent-xmoe-20261126-021507");
  expect(runName(["tiny", "/home/me/routers/my router.ts"], time)).toBe("tiny-my-router-20261126-021507");
});
