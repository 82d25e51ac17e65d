import { expect, test } from "vitest";
import { variants } from "./scan";

const flags = { preset: "nano", set: ["seed=3"] };

test("lists combine, the last one changing fastest", () => {
  const all = variants(flags, ["preset=nano,tiny", "experts=8,16"]);
  expect(all.map(({ label }) => label)).toEqual([
    "preset=nano, experts=8",
    "preset=nano, experts=16",
    "preset=tiny, experts=8",
    "preset=tiny, experts=16",
  ]);
  expect(all[3]!.flags).toEqual({ preset: "tiny", set: ["seed=3", "moe.experts=16"] });
});

test("without a list there is one configuration, as it was given", () => {
  expect(variants(flags, [])).toEqual([{ label: "", flags }]);
});

test("routers are scanned by name and by their own options", () => {
  const [first] = variants(flags, ["router=linear", "router.dim=8"]);
  expect(first!.flags).toEqual({ preset: "nano", router: "linear", set: ["seed=3", "router.dim=8"] });
});

test.each([
  ["experts", 'needs key=value,value, got "experts"'],
  ["experts=", 'needs key=value,value, got "experts="'],
  ["exprts=4", "experts"],
  ["every=1,2", "validation.every or checkpoint.every or log.every or sample.every: write one of them"],
])("%s is refused", (scan, message) => {
  expect(() => variants(flags, [scan])).toThrow(message);
});
