// `npm run build`: every package into its dist/. Arguments go to turbo.

import { pinnedPnpm } from "./packages.mjs";
import { installDependencies } from "./setup/dependencies.mjs";
import { main } from "./setup/index.mjs";
import { root } from "./setup/places.mjs";
import { runForeground } from "./setup/run.mjs";

main(async () => {
  await installDependencies();
  // Turbo wants pnpm in the path, so npx lends it the pinned one.
  const args = ["--yes", "--package", pinnedPnpm(), "turbo", "run", "build", "--output-logs=errors-only"];
  const env = { TURBO_TELEMETRY_DISABLED: "1" };
  return runForeground([...args, ...process.argv.slice(2)], { command: "npx", cwd: root, env });
});
