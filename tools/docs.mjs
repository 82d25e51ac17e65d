// `npm run docs`: the API reference out of the code into docs/api, then the site into docs/.vitepress/dist.

import { join } from "node:path";
import { publicPackages } from "./packages.mjs";
import { installDependencies } from "./setup/dependencies.mjs";
import { main } from "./setup/index.mjs";
import { root } from "./setup/places.mjs";
import { runForeground } from "./setup/run.mjs";

main(async () => {
  await installDependencies();
  const doors = publicPackages()
    .flatMap(({ sources }) => sources)
    .filter((file) => file.endsWith(".ts"));
  const flags = [
    "--plugin",
    "typedoc-plugin-markdown",
    "--plugin",
    join(root, "tools/docs-names.mjs"),
    "--name",
    "API",
    "--hideBreadcrumbs",
    "--hidePageHeader",
    "--out",
    "docs/api",
    "--entryFileName",
    "index.md",
    "--tsconfig",
    "tsconfig.json",
  ];
  const quiet = ["--skipErrorChecking", "--logLevel", "Error", "--readme", "none", "--excludePrivate"];
  const typedoc = join(root, "node_modules/typedoc/bin/typedoc");
  const code = await runForeground([typedoc, ...flags, ...quiet, ...doors], { cwd: root });
  return code || runForeground([join(root, "node_modules/vitepress/bin/vitepress.js"), "build", "docs"], { cwd: root });
});
