// `npm run check`: types, lint and format, arrows between packages, dependencies that are declared and used. Every one runs, so that one run shows all there is.

import { join } from "node:path";
import { installDependencies } from "./setup/dependencies.mjs";
import { main } from "./setup/index.mjs";
import { root } from "./setup/places.mjs";
import { runForeground } from "./setup/run.mjs";
import { done, failed } from "./setup/say.mjs";

const tool = (/** @type {string} */ file) => join(root, "node_modules", file);

main(async () => {
  await installDependencies();
  const checks = [
    { name: "types", command: [tool("typescript/bin/tsc"), "--noEmit"] },
    { name: "lint and format", command: [tool("@biomejs/biome/bin/biome"), "check", "--max-diagnostics=20", "."] },
    { name: "dependencies", command: [tool("knip/bin/knip.js"), "--no-progress", "--no-config-hints"] },
    { name: "arrows", command: [tool("dependency-cruiser/bin/dependency-cruise.mjs"), "packages", "apps"] },
    { name: "reference pages", command: [join(root, "tools/reference.mjs"), "--check"] },
  ];
  let wrong = 0;
  for (const { name, command } of checks) {
    const code = await runForeground(command, { cwd: root });
    if (code > 128) return code;
    if (code === 0) done(name);
    else failed(name);
    wrong += code === 0 ? 0 : 1;
  }
  return wrong === 0 ? 0 : 1;
});
