import { linearRouter } from "@webmoe/router-linear";
import { expect, test } from "vitest";
import { measureModel } from "./accounting";
import { languageModel } from "./language-model";

const moe = { experts: 4, topK: 2, hidden: 6, sharedExperts: 1, denseLayers: [0], balanceLoss: 0, zLoss: 0 };
const config = { vocab: 10, dim: 8, layers: 3, heads: 2, context: 5, moe };

test("the parts of a model add up to all its parameters", () => {
  const { parts, total, active, router } = measureModel(languageModel(config, linearRouter()));
  expect(Object.fromEntries(parts.map((part) => [part.name, part.total]))).toEqual({
    embedding: 10 * 8,
    norms: (3 * 2 + 1) * 8,
    attention: 3 * 4 * 8 * 8,
    dense: 3 * 8 * (3 * 6),
    experts: 2 * 4 * 3 * 8 * 6,
    "shared experts": 2 * 3 * 8 * 6,
    router: 2 * 4 * 8,
    head: 10 * 8,
  });
  const sum = (of: "total" | "active") => parts.reduce((all, part) => all + part[of], 0);
  expect(sum("total")).toBe(total);
  expect(sum("active")).toBe(active);
  expect(parts.find(({ name }) => name === "router")!.total).toBe(router);
  expect(parts.find(({ name }) => name === "experts")!.active).toBe((2 * 4 * 3 * 8 * 6) / 2);
});
