import { expect, test } from "vitest";
import { judgeSoak } from "./judge-soak";

const even = Array.from({ length: 8 }, () => ({ steps: 10, seconds: 0.1 }));
const looks = (bytesPerStep: number, device = 5000) =>
  [1000, 2000, 3000, 4000].map((step) => ({ step, host: 1e6 + bytesPerStep * step, device }));

test("flat memory and an even pace pass, with figures", () => {
  expect(judgeSoak(looks(100), even, 64)).toEqual({
    hostBytesPerStep: 100,
    deviceBytesPerStep: 0,
    tokensPerSecond: {
      first: { fast: 6400, median: 6400, mean: 6400 },
      last: { fast: 6400, median: 6400, mean: 6400 },
      change: 0,
      stretches: Array(8).fill(6400),
    },
    flat: true,
    steady: true,
    fault: undefined,
  });
});

test("memory that grows by 1 KiB a step fails, on the host or on the device", () => {
  expect(judgeSoak(looks(1023), even, 64).fault).toBeUndefined();
  expect(judgeSoak(looks(2000), even, 64)).toMatchObject({
    flat: false,
    fault: "memory grew by 2000 bytes a step, more than 1 KiB",
  });
  const growing = looks(0).map((look) => ({ ...look, device: 4096 * look.step }));
  expect(judgeSoak(growing, even, 64).fault).toBe("memory grew by 4096 bytes a step, more than 1 KiB");
});

test("looks that lie off a line on both sides are judged by the line, and one look by nothing", () => {
  const off = looks(0).map((look, i) => ({ ...look, host: look.host + [1, -1, -1, 1][i]! * 1e6 }));
  expect(judgeSoak(off, even, 64).hostBytesPerStep).toBe(0);
  expect(judgeSoak(looks(5000).slice(0, 1), even, 64).hostBytesPerStep).toBe(0);
});

test("a run that becomes slower by more than a twentieth fails", () => {
  const slower = (seconds: number) => even.map((stretch, i) => (i < 5 ? stretch : { ...stretch, seconds }));
  expect(judgeSoak(looks(0), slower(0.1038), 64)).toMatchObject({ steady: true });
  expect(judgeSoak(looks(0), slower(0.104), 64)).toMatchObject({
    steady: false,
    fault: "the speed changed by -5.1 %, more than 5 %",
  });
});
