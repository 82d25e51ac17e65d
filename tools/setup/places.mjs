// Where things are, and where the set-up may keep what it unpacks and remembers.

import { accessSync, constants, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { homedir, tmpdir, userInfo } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's root folder. */
export const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

const requireFromRoot = createRequire(join(root, "package.json"));

/**
 * The path of a module that the root depends on.
 * @param {string} name such as `tsx` or `webgpu/package.json`
 */
export function modulePath(name) {
  return requireFromRoot.resolve(name);
}

/**
 * A writable folder that outlives this run: inside node_modules, else the user's cache folder, else a temporary one.
 * @param {string} [name] a folder within it
 */
export function cacheFolder(name = "") {
  const user = userInfo();
  const candidates = [
    join(root, "node_modules/.cache/webmoe"),
    join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "webmoe"),
    join(tmpdir(), `webmoe-${user.uid < 0 ? user.username : user.uid}`),
  ];
  for (const candidate of candidates) {
    const folder = join(candidate, name);
    try {
      mkdirSync(folder, { recursive: true });
      accessSync(folder, constants.W_OK);
      return folder;
    } catch {
      // not ours to write: the next one
    }
  }
  throw new Error(`setup: needs a writable cache folder, tried ${candidates.join(", ")}: set XDG_CACHE_HOME to one`);
}
