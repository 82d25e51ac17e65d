import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { temporaryFolder } from "./temporary-folder";

/**
 * Import a TypeScript or JavaScript file of a user, with what it imports. `@webmoe/*` in it means the copy that this program
 * uses, wherever the file lies.
 */
export async function importFile(path: string): Promise<Record<string, unknown>> {
  const { build } = await import("esbuild"); // only here: most commands import no file
  const { outputFiles } = await build({
    entryPoints: [resolve(path)],
    bundle: true,
    write: false,
    format: "esm",
    platform: "node",
    target: "node20",
    sourcemap: "inline",
    logLevel: "silent",
    plugins: [
      {
        name: "own-packages",
        setup(bundle) {
          bundle.onResolve({ filter: /^@webmoe\// }, ({ path }) => ({
            path: import.meta.resolve(path),
            external: true,
          }));
        },
      },
    ],
  });
  const folder = temporaryFolder(join(tmpdir(), "webmoe-"));
  try {
    const file = join(folder.path, "module.mjs");
    await writeFile(file, outputFiles[0]!.contents);
    return await import(pathToFileURL(file).href);
  } finally {
    folder.remove();
  }
}
