import { expect, test } from "vitest";
import { soakPage } from "./soak-page.mjs";

const pace = (/** @type {number} */ fast) => ({ fast, median: 0.8 * fast, mean: 0.7 * fast });

/** @param {number} last tokens a second at the end */
const soak = (last) => ({
  adapter: "some adapter",
  preset: "nano",
  steps: 20000,
  hostBytesPerStep: -1234.4,
  deviceBytesPerStep: 0,
  tokensPerSecond: { first: pace(400e3), last: pace(last), change: last / 400e3 - 1 },
});

test("every soak has its row, those that failed too", () => {
  const page = soakPage([soak(404e3), { ...soak(360e3), fault: "the speed changed by -10.0 %, more than 5 %" }]);
  expect(page).toContain("20,000 steps of `nano`: 1 of 2 runs pass.");
  expect(page).toContain("| 1 | -1,234 | 0 | 400k | 404k | +1.0 % | yes |");
  expect(page).toContain("| 2 | -1,234 | 0 | 400k | 360k | -10.0 % | the speed changed by -10.0 %, more than 5 % |");
  expect(page).toContain("| 2 | 320k | 288k | -10.0 % | 280k | 252k | -10.0 % |");
});

test("soaks of several machines or lengths are no page", () => {
  expect(() => soakPage([])).toThrow(/got none/);
  expect(() => soakPage([soak(1), { ...soak(1), steps: 400 }])).toThrow(/one steps, got 20000 and 400/);
  expect(() => soakPage([soak(1), { ...soak(1), adapter: "another" }])).toThrow(/one adapter/);
});
