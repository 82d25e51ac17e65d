import { readFile } from "node:fs/promises";
import { defineConfig, type Options } from "tsup";

type Plugin = NonNullable<Options["esbuildPlugins"]>[number];

/**
 * What the sources cannot say themselves, and what they say for people alone.
 *
 * Top-level constants that a call makes, such as `const softmax = kernel({ … })`, depend on nothing and change nothing: bundlers are
 * told, so that kernels which a program does not use are left out of it. Shaders lose their comments and indentation: minifiers
 * leave text alone, and it is half of what a page downloads.
 */
const sources: Plugin = {
  name: "sources",
  setup({ onLoad }) {
    onLoad({ filter: /[/\\]src[/\\].*\.ts$/ }, async ({ path }) => {
      const text = await readFile(path, "utf8");
      const marked = text.replace(/^((?:export )?const \w+ = )(?=\w+\(|new )/gm, "$1/* @__PURE__ */ ");
      return { contents: /[/\\]webgpu[/\\]src[/\\]/.test(path) ? withBareShaders(marked) : marked, loader: "ts" };
    });
  },
};

/** A module with comments taken out and every line begun at its first column: TypeScript and WGSL read the same in the same line. */
function withBareShaders(text: string): string {
  const bare = text.replace(/^[ \t]*\/\/.*$/gm, "").replace(/ \/\/ [^`"'\n]*$/gm, "");
  return bare.replace(/^[ \t]+/gm, "");
}

/**
 * Leaves out of a file that writes text, which it does in f32 without matrix units, what gradients, momentum and mixed precision need;
 * pages that train load these modules apart.
 */
const forText: Plugin = {
  name: "for text",
  setup({ onLoad }) {
    const gradients = "attention-(matrix|tiled|vector)-backward|momentum-shaders|add-spares-shader";
    const mixed =
      "attention-matrix|kernels[/\\\\]gru-cell|matmul-matrix|on-matrix-units|rounding|self-test|tile-of-halves";
    onLoad({ filter: new RegExp(`[/\\\\](${gradients}|${mixed})\\.ts$`) }, () => ({ contents: "", loader: "ts" }));
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
    esbuildPlugins: [sources],
    ...more,
  });
}

/** A library that writes text and everything it imports as one ES module, which a page loads without a build step of its own. */
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
    esbuildPlugins: [forText, sources],
  });
}
