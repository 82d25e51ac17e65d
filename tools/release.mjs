// `npm run release`: build, pack and check every package, then publish what the registry lacks through changesets.
// With --dry-run nothing leaves this machine: it says what would.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { buildPackages, packPackages, pinnedPnpm } from "./packages.mjs";
import { installDependencies } from "./setup/dependencies.mjs";
import { main } from "./setup/index.mjs";
import { root } from "./setup/places.mjs";
import { runForeground } from "./setup/run.mjs";
import { during, note } from "./setup/say.mjs";

main(async () => {
  const unknown = process.argv.slice(2).find((argument) => argument !== "--dry-run");
  if (unknown) throw new Error(`release: takes --dry-run alone, got "${unknown}"`);
  const dryRun = process.argv.includes("--dry-run");
  await installDependencies();
  const folder = mkdtempSync(join(tmpdir(), "webmoe-release-"));
  try {
    const packed = await during(
      "building and packing",
      (packages) => `${packages.length} packages built and packed`,
      async () => {
        await buildPackages();
        return packPackages(folder);
      },
    );
    for (const { name, version, bytes } of packed) {
      console.log(`${`${name}@${version}`.padEnd(34)} ${(bytes / 1024).toFixed(0).padStart(5)} kB`);
    }
    const page = readFileSync(join(root, "packages/browser/dist/webmoe.js"));
    console.log(`\nwebmoe.js of @webmoe/browser, as a page loads it: ${(gzipSync(page).length / 1000).toFixed(0)} kB`);
    const versions = new Set(packed.map(({ version }) => version));
    if (versions.size > 1) throw new Error(`release: all packages have one version, got ${[...versions].join(", ")}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  if (dryRun) {
    note("a dry run: nothing was published. Changesets that wait for `changeset version`:");
    const changeset = join(root, "node_modules/@changesets/cli/bin.js");
    return runForeground([changeset, "status"], { cwd: root });
  }
  const publish = ["--yes", "--package", pinnedPnpm(), "--", "npx", "changeset", "publish"];
  return runForeground(publish, { command: "npx", cwd: root });
});
