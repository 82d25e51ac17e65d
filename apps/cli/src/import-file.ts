import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { temporaryFolder } from "./temporary-folder";

/** Paths of the files that `importFile` brought in. */
const imported = new Set<string>();

/**
 * Import a TypeScript or JavaScript file of a user, with what it imports. `@webmoe/*` and `zod` in it mean the copies that this
 * program uses, wherever the file lies.
 */
export async function importFile(path: string): Promise<Record<string, unknown>> {
  const { build } = await import("esbuild"); // only here: most commands import no file
  const folder = temporaryFolder(join(tmpdir(), "webmoe-"));
  const file = join(folder.path, "module.mjs");
  try {
    const { metafile } = await build({
      entryPoints: [resolve(path)],
      bundle: true,
      outfile: file,
      metafile: true,
      format: "esm",
      platform: "node",
      target: "node20",
      sourcemap: "inline",
      logLevel: "silent",
      plugins: [
        {
          name: "own-packages",
          setup(bundle) {
            bundle.onResolve({ filter: /^(@webmoe\/|zod$)/ }, ({ path }) => ({
              path: import.meta.resolve(path),
              external: true,
            }));
          },
        },
      ],
    });
    for (const input of Object.keys(metafile.inputs)) imported.add(resolve(input));
    process.setSourceMapsEnabled(true); // so that stacks name lines of the user's file
    return await import(pathToFileURL(file).href);
  } finally {
    folder.remove();
  }
}

/** Where in an imported file an error arose, as `my-router.ts:16`; undefined where its stack has no such line. */
export function placeInImported(error: Error): string | undefined {
  for (const [, frame, line] of (error.stack ?? "").matchAll(
    /^\s+at .*?((?:file:|[A-Za-z]:\\|\/)[^()]*?):(\d+):\d+\)?$/gm,
  )) {
    const path = frame!.startsWith("file:") ? fileURLToPath(frame!) : frame!;
    if (imported.has(path)) return `${relative("", path)}:${line}`;
  }
  return undefined;
}
