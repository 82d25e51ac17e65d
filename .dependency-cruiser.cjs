// The arrows between packages, `webgpu <- tensor <- nn <- router <- router-* , moe <- model <- trainer <- apps`, as a
// table: each package and what it may import. `data` stands alone. `inspect` looks at models and knows no training; its
// statistics and its page stand alone. Tests may also import what they test with.

const { builtinModules } = require("node:module");

const arrows = {
  webgpu: [],
  tensor: ["webgpu"],
  nn: ["webgpu", "tensor"],
  router: ["webgpu", "tensor", "nn"],
  "router-[a-z]+": ["webgpu", "tensor", "nn", "router"],
  routers: ["router", "router-[a-z]+"],
  moe: ["webgpu", "tensor", "nn", "router"],
  model: ["webgpu", "tensor", "nn", "router", "moe"],
  data: [],
  inspect: ["webgpu", "tensor", "nn", "router", "moe", "model"],
  trainer: ["webgpu", "tensor", "nn", "router", "moe", "model", "data", "inspect"],
  browser: ["webgpu", "tensor", "nn", "router", "routers", "moe", "model", "data", "inspect", "trainer"],
};

const tests = "\\.test\\.tsx?$";

/** @type {import("dependency-cruiser").IConfiguration} */
module.exports = {
  forbidden: [
    ...Object.entries(arrows).map(([name, allowed]) => ({
      name: `arrows-${name}`.replace("[a-z]+", "any"),
      severity: "error",
      from: { path: `^packages/(${name})/src`, pathNot: tests },
      to: { path: "^(packages|apps)/", pathNot: `^packages/(${["$1", ...allowed].join("|")})/` },
    })),
    {
      name: "statistics-stand-alone",
      comment: "What is computed from plain numbers, and the page that shows it, run anywhere.",
      severity: "error",
      from: { path: "^packages/inspect/src/(statistics|page)/", pathNot: tests },
      to: { path: "^packages/", pathNot: "^packages/inspect/src/(statistics|page)/" },
    },
    {
      name: "packages-before-apps",
      comment: "Tests as well: no package knows an app.",
      severity: "error",
      from: { path: "^packages/" },
      to: { path: "^apps/" },
    },
    {
      name: "node-in-few-places",
      comment: "Everything runs in a browser but opening a device through Dawn, run folders, and the readers of files.",
      severity: "error",
      from: { path: "^packages/", pathNot: [tests, "^packages/(webgpu/src/node\\.ts|trainer/src/node/|data/src/)"] },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "browser-doors",
      comment: "What the main door of a package leads to runs in a browser.",
      severity: "error",
      from: { path: "^packages/[^/]+/src/index\\.ts$" },
      to: { path: `^(node:)?(${builtinModules.join("|")})$`, reachable: true },
    },
    {
      name: "no-circular",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "resolvable",
      comment: "An import that leads nowhere would slip past every arrow.",
      severity: "error",
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: "public-doors-only",
      comment: "Packages use one another by name, so that `exports` decides what is public.",
      severity: "error",
      from: { path: "^(packages|apps)/([^/]+)/" },
      to: { path: "^packages/([^/]+)/src", pathNot: "^packages/$2/", dependencyTypes: ["local"] },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^(packages|apps)/[^/]+/dist/" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "types", "default"] },
  },
};
