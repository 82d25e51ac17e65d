import { describe, expect, test } from "vitest";
import { fromAddress, toAddress } from "./address";
import { CODE, presetConfiguration } from "./configuration";
import { withValue } from "./dotted";
import { faults } from "./faults";

const nano = presetConfiguration("nano");

describe("the address", () => {
  test("says what differs from the default, under the keys of --set, and gives it back", () => {
    expect(toAddress({ configuration: nano })).toBe("");
    let configuration = withValue(nano, "router", { name: "xmoe", dim: 8, learnTemperature: false });
    configuration = withValue(withValue(configuration, "train.steps", 20), "moe.capacity", 1.5);
    const address = toAddress({ configuration });
    expect(address).toContain("router.name=xmoe");
    expect(address).toContain("router.learnTemperature=false");
    expect(address).toContain("train.steps=20");
    expect(fromAddress(`#${address}`)).toEqual({ configuration });
  });

  test("names a preset by its name alone", () => {
    const tiny = presetConfiguration("tiny");
    expect(fromAddress("#preset=tiny")).toEqual({ configuration: tiny });
    expect(fromAddress(toAddress({ configuration: tiny }))).toEqual({ configuration: tiny });
  });

  test("holds a rival, and the code of a router", () => {
    const rival = withValue({ ...nano, router: { name: "linear" } }, "moe.experts", 8);
    const code = "export default () => 1; // a & b = ü\n";
    const content = { configuration: { ...nano, router: { name: CODE } }, rival, code };
    expect(fromAddress(toAddress(content))).toEqual(content);
  });

  test("leaves at its default what it may not say", () => {
    const wrong =
      "#router.name=constructor&train.steps=-1&moe.experts=2.5&optimizer.lr=&seed=x&nothing=1&__proto__.a=1";
    expect(fromAddress(wrong)).toEqual({ configuration: nano });
    expect(fromAddress("#router.cell=abacus&router.dim=16").configuration.router).toEqual({
      name: "recurrent",
      dim: 16,
    });
    expect(fromAddress("#moe.topK=5").configuration).toEqual(nano);
  });
});

test("faults name the key and what it needs", () => {
  expect(faults(nano)).toEqual({});
  const bad = withValue(withValue(nano, "train.steps", 0.5), "optimizer.lr", Number.NaN);
  expect(faults(bad)).toEqual({
    "train.steps": "needs a whole number from 1 to 100000",
    "optimizer.lr": "needs a number from 0.000001 to 1",
  });
  expect(faults(withValue(nano, "moe.topK", 5))["moe.topK"]).toContain("at most");
  expect(faults(withValue(nano, "model.heads", 3))["model.heads"]).toContain("divisor");
  expect(faults({ ...nano, router: { name: "linear", dim: 3 } })["router.dim"]).toBe("this router has no such option");
});
