import { expect, test } from "vitest";
import { defaults, faults, fromAddress, toAddress } from "./configuration";

test("the address says what differs from the defaults, and gives it back", () => {
  expect(toAddress(defaults)).toBe("");
  const changed = { ...defaults, router: "linear", steps: 20, lr: 0.001 };
  expect(toAddress(changed)).toBe("router=linear&steps=20&lr=0.001");
  expect(fromAddress(`#${toAddress(changed)}`)).toEqual(changed);
});

test("what an address may not say is left at its default", () => {
  expect(fromAddress("#router=constructor&steps=-1&experts=2.5&lr=&seed=x&nothing=1")).toEqual(defaults);
  expect(fromAddress("#experts=2&topK=3")).toEqual({ ...defaults, experts: 2 });
});

test("faults name the field and what it needs", () => {
  expect(faults(defaults)).toEqual({});
  expect(faults({ ...defaults, steps: 0.5, topK: 5, lr: Number.NaN })).toEqual({
    steps: "needs a whole number from 1 to 100000",
    topK: "needs at most as many as there are experts, 4",
    lr: "needs a number from 0.000001 to 1",
  });
});
