// The packages that are published, and their tarballs as the registry would get them.

import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { root } from "./setup/places.mjs";
import { runQuietly } from "./setup/run-quietly.mjs";

/** @typedef {{ name: string, version: string, folder: string, entries: string[], sources: string[] }} Package entries: what is imported, and its files */
/** @typedef {Package & { tarball: string, bytes: number }} PackedPackage */

/** @returns {Package[]} every package that is not private, in the order of their names */
export function publicPackages() {
  return ["packages", "apps"]
    .flatMap((parent) => readdirSync(join(root, parent)).map((name) => join(root, parent, name)))
    .map((folder) => ({ folder, manifest: JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) }))
    .filter(({ manifest }) => !manifest.private)
    .map(({ folder, manifest: { name, version, exports = {} } }) => {
      const entries = Object.keys(exports).map((path) => name + path.slice(1));
      const sources = Object.values(exports).map((file) => join(folder, String(file)));
      return { name, version, folder, entries, sources };
    });
}

/** Turbo builds what changed since the last time; it wants pnpm in the path, so npx lends it the pinned one. */
export async function buildPackages() {
  const filters = publicPackages().map(({ name }) => `--filter=${name}`);
  await withPnpm("turbo", "run", "build", "--output-logs=errors-only", ...filters);
}

/**
 * Pack every built package. pnpm does it, as at a release: it writes `publishConfig.exports` and versions in the place of
 * `workspace:*` into the manifest.
 * @param {string} folder where the tarballs go
 * @returns {Promise<PackedPackage[]>}
 */
export async function packPackages(folder) {
  const packages = publicPackages();
  const filters = packages.map(({ name }) => `--filter=${name}`);
  await withPnpm("pnpm", ...filters, "pack", "--pack-destination", folder);
  return packages.map((each) => {
    const tarball = join(folder, `${each.name.slice(1).replace("/", "-")}-${each.version}.tgz`);
    return { ...each, tarball, bytes: statSync(tarball).size };
  });
}

/** The exact pnpm that package.json pins, such as `pnpm@10.34.8`. */
export function pinnedPnpm() {
  const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  return packageManager.split("+")[0];
}

/** @param {string[]} command */
function withPnpm(...command) {
  const env = { TURBO_TELEMETRY_DISABLED: "1" };
  return runQuietly("npx", ["--yes", "--package", pinnedPnpm(), ...command], { cwd: root, env });
}
