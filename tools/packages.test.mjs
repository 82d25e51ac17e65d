// Every package as a stranger gets it: built, packed, installed by npm into an empty folder outside the repository.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { build, transform } from "esbuild";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildPackages, packPackages, publicPackages } from "./packages.mjs";
import { modulePath } from "./setup/places.mjs";
import { runQuietly } from "./setup/run-quietly.mjs";
import { tarFiles } from "./setup/tar.mjs";

const names = publicPackages().map(({ name }) => name);
const libraries = publicPackages().filter(({ entries }) => entries.length > 0);
const entries = libraries.flatMap((library) => library.entries);
const folder = mkdtempSync(join(tmpdir(), "webmoe-packages-"));
const readmePrograms = libraries.map(({ name, folder }) => ({
  name,
  file: `readme-${name.replace(/\W+/g, "-")}`,
  program: /```ts\n([\s\S]*?)```/.exec(readFileSync(join(folder, "README.md"), "utf8"))?.[1] ?? "",
}));
/** @type {Map<string, import("./packages.mjs").PackedPackage>} */
let packed = new Map();

beforeAll(async () => {
  await buildPackages();
  packed = new Map((await packPackages(folder)).map((each) => [each.name, each]));
  write("package.json", JSON.stringify({ private: true }));
  const tarballs = [...packed.values()].map(({ tarball }) => tarball);
  // Nothing but npm: no pnpm settings, and no copy of a package from this repository.
  await runQuietly("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline", ...tarballs], { cwd: folder });
}, 900_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** @param {string} name @param {string} text */
const write = (name, text) => writeFileSync(join(folder, name), text);

/** Run a program of the folder with Node. @param {string[]} args */
const node = (...args) => runQuietly(process.execPath, args, { cwd: folder, env: { NODE_PATH: "", NO_COLOR: "1" } });

/** Check types as a project does that sets nothing: declaration files too. @param {string} resolution @param {string[]} files */
function compile(resolution, ...files) {
  const module =
    resolution === "bundler" ? ["--module", "esnext", "--moduleResolution", "bundler"] : ["--module", "nodenext"];
  return node(modulePath("typescript/bin/tsc"), "--noEmit", "--strict", "--target", "es2022", ...module, ...files);
}

describe.each(names)("%s", (name) => {
  test("publint finds nothing to say", async () => {
    const tarball = toArrayBuffer(readFileSync(packed.get(name)?.tarball ?? ""));
    const { messages, pkg } = await publint({ pack: { tarball }, level: "suggestion", strict: true });
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
  });

  test("its types are those of its code, for every way to import it", async () => {
    const data = new Uint8Array(readFileSync(packed.get(name)?.tarball ?? ""));
    // What a page loads as it is has types, and no other kind of module.
    const pages = { excludeEntrypoints: [/\.js$/] };
    const result = await checkPackage(createPackageFromTarballData(data), pages);
    // Node before 12 knows no `exports`: such old resolution finds no entry at all.
    const problems = "problems" in result ? result.problems : [];
    expect(problems.filter((problem) => !("resolutionKind" in problem && problem.resolutionKind === "node10"))).toEqual(
      [],
    );
  });

  test("every script has a source map with its sources", () => {
    const files = filesOf(readFileSync(packed.get(name)?.tarball ?? ""));
    const scripts = [...files.keys()].filter((file) => /\.c?js$/.test(file));
    expect(scripts.length).toBeGreaterThan(0);
    for (const file of scripts) {
      const map = JSON.parse(files.get(`${file}.map`) ?? "{}");
      expect(map.sourcesContent?.length, file).toBe(map.sources?.length ?? -1);
      expect(files.get(file)).toContain("//# sourceMappingURL=");
    }
    expect(files.has("package/LICENSE")).toBe(true);
    expect(files.get("package/README.md")).toContain(name);
  });
});

test("the types compile under nodenext, from both kinds of module, and under bundler", async () => {
  const imports = entries.map((entry, index) => `import * as m${index} from "${entry}";`);
  const uses = `export const all: object[] = [${entries.map((_, index) => `m${index}`)}];\n`;
  for (const extension of ["mts", "cts"]) write(`types.${extension}`, `${imports.join("\n")}\n${uses}`);
  for (const { file, program } of readmePrograms) write(`${file}.mts`, program);
  await compile("nodenext", "types.mts", "types.cts", ...readmePrograms.map(({ file }) => `${file}.mts`));
  await compile("bundler", "types.mts");
});

test.each(readmePrograms)("the program in the README of $name runs", async ({ file, program }) => {
  write(`${file}.mjs`, (await transform(program, { loader: "ts" })).code);
  await node(`${file}.mjs`);
});

test("ES modules and CommonJS have the same exports, and their tensors mix", async () => {
  write(
    "both.mjs",
    `import { createRequire } from "node:module";
const require = createRequire(import.meta.url);
for (const entry of ${JSON.stringify(entries)}) {
  const names = (module) => Object.keys(module).filter((name) => name !== "module.exports").sort().join();
  if (names(await import(entry)) !== names(require(entry))) throw new Error(entry + ": exports differ");
}
const esm = await import("@webmoe/tensor");
const cjs = require("@webmoe/tensor");
const { openGpu } = await import("@webmoe/webgpu/node");
const { linear } = require("@webmoe/nn");
if (esm.Tensor === cjs.Tensor) throw new Error("one copy: nothing is proved");
const gpu = await openGpu();
const state = await esm.materialize(gpu, { weight: esm.constantInit([2, 3], 0.5) });
const inputs = { x: cjs.f32(1, 3) };
const program = await cjs.compile(gpu, { state, inputs }, ({ weight }, { x }) => {
  const loss = esm.sum(linear(x, weight));
  return { loss, gradient: cjs.gradients(loss, { weight }).weight };
});
const { loss, gradient } = await (await program.run({ x: new Float32Array([1, 2, 3]) })).outputs;
console.log(loss[0], ...gradient);
program.close();
gpu.close();
`,
  );
  expect(await node("both.mjs")).toBe("6 1 2 3 1 2 3\n");
});

test("a CommonJS program without modules runs", async () => {
  write(
    "common.cjs",
    `const { byteTokenizer } = require("@webmoe/data");
const { measureModel, languageModel, presets } = require("@webmoe/model");
const { recurrentRouter } = require("@webmoe/router-recurrent");
console.log(byteTokenizer().encode("Call").length, measureModel(languageModel(presets.nano.model, recurrentRouter())).total > 1e5);
`,
  );
  expect(await node("common.cjs")).toBe("4 true\n");
});

describe("what a bundler keeps", () => {
  /** Bundle a program as a web page would. @param {string} program */
  async function bundle(program) {
    const { outputFiles } = await build({
      stdin: { contents: program, resolveDir: folder },
      bundle: true,
      write: false,
      minifySyntax: true,
      format: "esm",
      platform: "browser",
    });
    return outputFiles[0]?.text ?? "";
  }
  /**
   * The files that a page loads before anything runs: the entry of a program, and what it imports in any case. What is loaded on
   * demand, such as kernels on matrix units, is not among them.
   * @param {string} program @param {import("esbuild").BuildOptions} options
   */
  async function firstLoad(program, options) {
    const { outputFiles, metafile } = await build({
      ...options,
      stdin: { contents: program, resolveDir: folder },
      bundle: true,
      splitting: true,
      outdir: folder,
      write: false,
      metafile: true,
      format: "esm",
      platform: "browser",
    });
    const outputs = metafile?.outputs ?? {};
    const first = new Set(Object.keys(outputs).filter((path) => outputs[path]?.entryPoint === "<stdin>"));
    for (const path of first) {
      for (const { path: next, kind } of outputs[path]?.imports ?? []) {
        if (kind === "import-statement") first.add(next);
      }
    }
    const files = (outputFiles ?? []).filter(({ path }) =>
      [...first].some((name) => basename(name) === basename(path)),
    );
    expect(files).toHaveLength(first.size);
    return files;
  }
  /** @param {string} text @returns {string[]} the names of the kernels in it */
  const kernelsOf = (text) => [...text.matchAll(/name: "(\w+)",\s+buffers:/g)].map(([, name]) => name).sort();

  test("the linear router alone brings the kernels of a product, and none of attention, experts or optimizers", async () => {
    const files = await firstLoad(`export { linearRouter } from "@webmoe/router-linear";`, { minifySyntax: true });
    const linear = files.map(({ text }) => text).join("\n");
    expect(kernelsOf(linear)).toContain("matmul");
    expect(
      kernelsOf(linear).filter((name) => !/^(matmul|columnSum|packHalves|sumParts|fill$|rowSum|sumMiddle)/.test(name)),
    ).toEqual([]);
    expect(linear).not.toMatch(/groupedMatmul|groupedWeightGradient|expertSort/);
    const everything = await bundle(`export * from "@webmoe/webgpu";`);
    for (const name of ["attention", "adamw", "topK", "matmul"]) {
      expect(
        kernelsOf(everything).some((kernel) => kernel.startsWith(name)),
        name,
      ).toBe(true);
    }
  });

  test("all that a page needs to train takes at most 60 kB, minified and compressed", async () => {
    const used = ["tensor", "webgpu", "moe", "router-recurrent", "model"].map((name) => `@webmoe/${name}`);
    const program = used.map((name, index) => `export * as m${index} from "${name}";`).join("\n");
    const files = await firstLoad(program, { minify: true });
    const bytes = files.reduce((sum, { contents }) => sum + gzipSync(contents, { level: 9 }).length, 0);
    console.log(`what a page needs to train: ${(bytes / 1000).toFixed(1)} kB`);
    expect(bytes).toBeLessThanOrEqual(60_000);
  });

  test("the file that a script tag loads imports nothing and takes at most 110 kB, compressed", async () => {
    const file = join(folder, "node_modules/@webmoe/browser/dist/webmoe.js");
    expect(gzipSync(readFileSync(file)).length).toBeLessThanOrEqual(110_000);
    const { metafile } = await build({
      entryPoints: [file],
      bundle: true,
      write: false,
      metafile: true,
      format: "esm",
    });
    expect(Object.keys(metafile.inputs)).toHaveLength(1);
    expect(await node("--input-type=module", "--eval", `console.log(Object.keys(await import("${file}")))`)).toBe(
      "[ 'openModel' ]\n",
    );
  });

  test("no library that is made for browsers asks for Node", async () => {
    const made = entries.filter((entry) => !/\/(node|testing)$/.test(entry));
    const text = await bundle(made.map((name, index) => `export * as m${index} from "${name}";`).join("\n"));
    expect(text).not.toMatch(/["']node:/);
  });
});

describe("webmoe, installed", () => {
  const webmoe = (/** @type {string[]} */ ...args) =>
    node(join("node_modules", "@webmoe", "cli", "dist", "main.js"), ...args);

  test("is a binary that trains and samples", async () => {
    expect(await runQuietly("npx", ["--no-install", "webmoe", "--version"], { cwd: folder })).toMatch(
      /^\d+\.\d+\.\d+\n$/,
    );
    const printed = await webmoe("train", "--steps", "3", "--out", "run", "--set", "sample.tokens=8");
    expect(printed).toContain("step 3/3");
    expect(await webmoe("sample", "--from", "run", "--prompt", "The whale", "--tokens", "8")).toMatch(/^The whale/);
  });

  test("loads a router in TypeScript from any folder, with its own copy of @webmoe", async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), "webmoe-elsewhere-"));
    const file = join(elsewhere, "router.ts");
    writeFileSync(
      file,
      `import { linear, linearWeight } from "@webmoe/nn";
import { defineRouter } from "@webmoe/router";
import { fold } from "@webmoe/tensor";
export default (options: { title?: string }) =>
  defineRouter({
    name: options.title ?? "elsewhere",
    init: ({ dim, experts, layers }, key) => ({
      shared: {},
      layers: Array.from({ length: layers }, (_, index) => linearWeight([experts, dim], fold(key, String(index)))),
    }),
    score: ({ x, layer }) => ({ logits: linear(x, layer) }),
  });
`,
    );
    const flags = ["--steps", "2", "--out", "own", "--set", "sample.tokens=0", "--set", "router.title=mine"];
    expect(await webmoe("train", "--router", file, ...flags)).toContain("router   mine");
    rmSync(elsewhere, { recursive: true });
  });
});

/** @param {Buffer} buffer @returns {ArrayBuffer} */
function toArrayBuffer(buffer) {
  return new Uint8Array(buffer).buffer;
}

/** The files of a tarball by their paths, as text. @param {Buffer} tarball */
function filesOf(tarball) {
  return new Map([...tarFiles(gunzipSync(tarball))].map(({ name, data }) => [name, data.toString()]));
}
