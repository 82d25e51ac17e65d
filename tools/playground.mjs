// `npm run playground`: the web page, built and served on this machine.

import { join } from "node:path";
import { installDependencies } from "./setup/dependencies.mjs";
import { main } from "./setup/index.mjs";
import { root } from "./setup/places.mjs";
import { runForeground } from "./setup/run.mjs";

main(async () => {
  await installDependencies();
  const cwd = join(root, "apps", "playground");
  const vite = join(cwd, "node_modules", "vite", "bin", "vite.js");
  const code = await runForeground([vite, "build", "--logLevel", "warn"], { cwd });
  return code || runForeground([vite, "preview", ...process.argv.slice(2)], { cwd });
});
