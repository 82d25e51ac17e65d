// `npm run build`: every package into its dist/. Turbo wants pnpm in the path, so npx lends it the pinned one.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { installDependencies } from "./setup/dependencies.mjs";
import { main } from "./setup/index.mjs";
import { root } from "./setup/places.mjs";
import { runForeground } from "./setup/run.mjs";

main(async () => {
  await installDependencies();
  const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const pnpm = packageManager.split("+")[0];
  const args = ["--yes", "--package", pnpm, "turbo", "run", "build", "--output-logs=errors-only"];
  const env = { TURBO_TELEMETRY_DISABLED: "1" };
  return runForeground([...args, ...process.argv.slice(2)], { command: "npx", cwd: root, env });
});
