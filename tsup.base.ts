import { readFile } from "node:fs/promises";
import { defineConfig, type Options } from "tsup";

type Plugin = NonNullable<Options["esbuildPlugins"]>[number];

/**
 * Top-level constants that a call makes, such as `const softmax = kernel({ … })`, depend on nothing and change nothing.
 * Bundlers cannot know: this tells them, so that kernels which a program does not use are left out of it.
 */
const pureConstants: Plugin = {
  name: "pure-constants",
  setup({ onLoad }) {
    onLoad({ filter: /[/\\]src[/\\].*\.ts$/ }, async ({ path }) => ({
      contents: (await readFile(path, "utf8")).replace(/^((?:export )?const \w+ = )(?=\w+\()/gm, "$1/* @__PURE__ */ "),
      loader: "ts",
    }));
  },
};

/**
 * How every library is built: ES modules and CommonJS, types for both, source maps. Types are checked by `npm run check`,
 * so writing them does without. `globals` is the package of global types that the library's own mention.
 */
export function library(entry: string[], { globals, ...more }: Options & { globals?: string } = {}) {
  return defineConfig({
    entry,
    format: ["esm", "cjs"],
    dts: {
      compilerOptions: { noCheck: true },
      ...(globals && { banner: `/// <reference types="${globals}" />` }),
    },
    sourcemap: true,
    clean: true,
    esbuildPlugins: [pureConstants],
    ...more,
  });
}

/** A library and everything it imports as one ES module, which a page loads without a build step of its own. */
export function singleFile(entry: Record<string, string>) {
  return defineConfig({
    entry,
    format: "esm",
    platform: "browser",
    target: "es2022",
    noExternal: [/./],
    splitting: false,
    minify: true,
    sourcemap: true,
    esbuildPlugins: [pureConstants],
  });
}
