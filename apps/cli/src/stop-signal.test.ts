import { afterEach, expect, test, vi } from "vitest";
import { stopSignal } from "./stop-signal";

const onExit = process.listeners("exit");

afterEach(() => {
  vi.restoreAllMocks();
  for (const signal of ["SIGINT", "SIGTERM"]) process.removeAllListeners(signal);
  for (const listener of process.listeners("exit")) if (!onExit.includes(listener)) process.off("exit", listener);
});

test("a second request ends the process, after who listens could tidy up; the echo of the first does not", () => {
  const events: string[] = [];
  vi.spyOn(process, "exit").mockImplementation((code) => {
    events.push(`exit ${code}`);
    return undefined as never;
  });
  const clock = vi.spyOn(performance, "now").mockReturnValue(1000);
  const signal = stopSignal({ asked: () => events.push("asked"), leaving: () => events.push("leaving") });
  process.emit("SIGINT");
  expect(signal.aborted).toBe(true);
  clock.mockReturnValue(1050);
  process.emit("SIGINT");
  expect(events).toEqual(["asked"]);
  clock.mockReturnValue(1600);
  process.emit("SIGTERM");
  expect(events).toEqual(["asked", "leaving", "exit 130"]);
});
