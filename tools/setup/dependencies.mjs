// Packages come from the lockfile through the pnpm that package.json pins, started by npx, else by corepack.

import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder, root } from "./places.mjs";
import { runLogged } from "./run.mjs";
import { during } from "./say.mjs";

/**
 * Whether node_modules holds what the lockfile says: by our stamp, or by the copy of the lockfile that pnpm leaves there.
 * @param {string} folder the repository's root
 */
export function dependenciesMatch(folder) {
  const wanted = lockfileHash(join(folder, "pnpm-lock.yaml"));
  if (!existsSync(join(folder, "node_modules/.modules.yaml"))) return false;
  const stamp = stampFile(folder);
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return true;
  const copy = join(folder, "node_modules/.pnpm/lock.yaml");
  return existsSync(copy) && lockfileHash(copy) === wanted;
}

/**
 * Remember that node_modules was installed from the lockfile as it is.
 * @param {string} folder the repository's root
 */
export function stampDependencies(folder) {
  writeFileSync(stampFile(folder), lockfileHash(join(folder, "pnpm-lock.yaml")));
}

/** Install what the lockfile says, unless it is there. Silent, and without a network, when it is. */
export async function installDependencies() {
  if (dependenciesMatch(root)) return;
  const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const [pnpm] = packageManager.split("+");
  const args = ["install", "--frozen-lockfile", "--config.confirm-modules-purge=false"];
  const log = join(cacheFolder(), "install.log");
  rmSync(log, { force: true });
  await during(
    `installing packages with ${pnpm}`,
    (_, seconds) => `packages installed with ${pnpm} in ${seconds} s`,
    async () => {
      const npx = await runLogged("npx", ["--yes", pnpm, ...args], { log, cwd: root });
      if (npx.ok) return;
      const env = { COREPACK_ENABLE_DOWNLOAD_PROMPT: "0" };
      const corepack = await runLogged("corepack", ["pnpm", ...args], { log, cwd: root, env });
      if (corepack.ok) return;
      throw new Error(
        `setup: packages could not be installed: npx ${pnpm} install --frozen-lockfile failed (log: ${log})\n${npx.tail}`,
      );
    },
  );
  stampDependencies(root);
}

/** @param {string} file */
function lockfileHash(file) {
  return createHash("sha256").update(readFileSync(file)).digest("hex");
}

/** @param {string} folder The stamp goes with node_modules: who deletes one deletes the other. */
function stampFile(folder) {
  return join(folder, "node_modules/.webmoe-lockfile");
}
