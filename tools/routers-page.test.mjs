import { expect, test } from "vitest";
import { routersPage } from "./routers-page.mjs";

const size = { total: 1000, active: 500, router: 10 };

/** @param {string} label @param {number} mean @param {[number, number, number]} [difference] @param {number} [seeds] */
function router(label, mean, difference, seeds = 3) {
  const [middle, low, high] = difference ?? [];
  const figure = {
    mean,
    deviation: 0.01,
    ...(middle !== undefined && { difference: { mean: middle, low, high, seeds } }),
  };
  const cost = { msPerStep: { mean: 12, relative: 1 }, memory: { bytes: 2 ** 20, relative: 1 } };
  return { label, size, bestSteps: [5], validation: figure, test: figure, ...cost };
}

const comparison = {
  complete: true,
  done: 12,
  planned: 12,
  baseline: "linear",
  match: "none",
  seeds: [1, 2, 3],
  adapters: ["some gpu"],
  webmoe: "0.0.0",
  tokens: { perStep: 8, perRun: 80 },
  config: {
    model: { layers: 2, dim: 8, heads: 2, context: 4 },
    moe: { experts: 4, hidden: 8, topK: 2 },
    train: { steps: 10 },
    precision: "f32",
    data: "moby-dick",
  },
  routers: [
    router("linear", 2),
    router("recurrent", 1.9, [-0.1, -0.12, -0.08]),
    router("random", 1.95, [-0.05, -0.06, -0.04]),
    router("xmoe", 2.01, [0.01, -0.02, 0.04]),
    router("mine", 2.2, [0.2, 0.1, 0.3]),
  ],
};

test("signs are compared with the paper's where the interval leaves out zero", () => {
  const page = routersPage(comparison, { command: "webmoe compare" });
  const row = (/** @type {string} */ label) =>
    page
      .split("\n")
      .filter((line) => line.startsWith(`| ${label} |`))
      .at(-1);
  expect(`${row("recurrent")}`).toMatch(/-0\.012 .* agrees \|$/);
  expect(`${row("random")}`).toMatch(/\+0\.007 .* \*\*disagrees\*\* \|$/);
  expect(`${row("xmoe")}`).toMatch(/not told apart \|$/);
  expect(`${row("mine")}`).not.toMatch(/agrees/); // the paper has no such router
});

test("few seeds and missing runs are said first", () => {
  const routers = [router("linear", 2), router("recurrent", 1.9, [-0.1, -0.2, -0.01], 2)];
  const page = routersPage(
    { ...comparison, complete: false, done: 4, planned: 6, caveat: "no conclusion can be drawn", routers },
    { command: "webmoe compare" },
  );
  expect(page).toMatch(/\*\*4 of 6 runs are done\.\*\*/);
  expect(page).toMatch(/\*\*No conclusion can be drawn\.\*\*/);
  expect(page).toMatch(/too few seeds/);
});

test("information has a rank by either metric", () => {
  const information = new Map([
    ["linear", { published: 0.2, corrected: 0.9 }],
    ["recurrent", { published: 0.8, corrected: 0.3 }],
  ]);
  const page = routersPage(comparison, { command: "webmoe compare", information });
  expect(page).toMatch(/\| recurrent \| 0\.8000 \| 1 \| 0\.3000 \| 2 \|/);
  expect(routersPage(comparison, { command: "webmoe compare" })).not.toMatch(/Information between layers/);
});
