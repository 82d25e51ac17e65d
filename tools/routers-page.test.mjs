import { expect, test } from "vitest";
import { conclusionsOf, routersPage } from "./routers-page.mjs";

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

/** The last row of a router in a page. @param {string} page @param {string} label */
const lastRow = (page, label) =>
  `${page
    .split("\n")
    .filter((line) => line.startsWith(`| ${label} |`))
    .at(-1)}`;

test("differences stand beside the paper's, those of the same size first", () => {
  const page = routersPage(comparison, { command: "webmoe compare" });
  expect(page).toContain("| router | here | paper, 8 x 352 | beside ours |");
  expect(lastRow(page, "recurrent")).toContain("-0.1000 [-0.1200, -0.0800] | -0.012 | same order, larger here |");
  expect(lastRow(page, "random")).toContain("| +0.007 | **opposite order** |");
  expect(lastRow(page, "xmoe")).toContain("| -0.003 | not told apart, paper's inside |");
  expect(lastRow(page, "mine")).not.toMatch(/order|told apart/); // the paper has no such router

  const model = { ...comparison.config.model, layers: 6, dim: 264 };
  const small = routersPage({ ...comparison, config: { ...comparison.config, model } }, { command: "webmoe compare" });
  expect(small).toContain("| router | here | paper, 6 x 264 | beside ours | paper, 8 x 352 | beside ours |");
  expect(lastRow(small, "recurrent")).toContain(
    "| -0.001 | **order here, none there** | -0.012 | same order, larger here |",
  );
  expect(lastRow(small, "xmoe")).toContain("|  |  | -0.003 |");
});

test("the differences of some validations stand by the tokens seen", () => {
  const difference = (/** @type {number} */ mean) => ({ mean, low: mean - 1, high: mean + 1, seeds: 3 });
  const curve = Array.from({ length: 16 }, (_, i) => ({ step: 1e6 * (i + 1), difference: difference(0.1 - i / 100) }));
  const routers = comparison.routers.map((router) => (router.label === "recurrent" ? { ...router, curve } : router));
  const page = routersPage({ ...comparison, routers }, { command: "webmoe compare" });
  expect(page).toContain("| router | 16.0 | 32.0 | 48.0 | 64.0 | 80.0 | 96.0 | 112.0 | 128.0 |");
  expect(page).toContain("| recurrent | +0.090 | +0.070 | +0.050 |");
});

test("conclusions are kept from the page before, and nothing else", () => {
  const options = { command: "webmoe compare", training: new Map([["linear", 1.25]]) };
  const first = routersPage(comparison, options);
  expect(conclusionsOf(first)).toBeUndefined();
  expect(lastRow(first.split("## Cost")[0] ?? "", "linear")).toContain("| 1.250 |");
  const second = routersPage(comparison, { ...options, conclusions: "## What it says\n\n- Nothing." });
  expect(conclusionsOf(second)).toBe("## What it says\n\n- Nothing.");
  expect(routersPage(comparison, { ...options, conclusions: conclusionsOf(second) })).toBe(second);
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

test("information has a rank by either metric, and ranks far apart are said", () => {
  const inspected = new Map([
    ["linear", { published: 0.2, corrected: 0.9, entropy: 1 }],
    ["recurrent", { published: 0.8, corrected: 0.3, entropy: 2, changed: [0.25, 0.5] }],
    ["xmoe", { published: 0.3, corrected: 0.8, entropy: 1.5 }],
    ["random", { published: 0.4, corrected: 0.7, entropy: 1.75 }],
  ]);
  const page = routersPage(comparison, { command: "webmoe compare", inspected });
  expect(page).toContain("| recurrent | 0.800 | 1 | 0.300 | 4 | 2.00 |");
  expect(page).toContain("a rank correlation of -1.00 with the corrected one");
  expect(page).toContain("the published one's is 1.00, the corrected one's -1.00");
  expect(page).toContain("linear (4 and 1), recurrent (1 and 4).");
  expect(page).toContain("| recurrent | 25 % | 50 % |");
  expect(routersPage(comparison, { command: "webmoe compare" })).not.toContain("Information between layers");
});
