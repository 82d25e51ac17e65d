// `npm test`: set up, then every test, on an adapter that works. Arguments go to vitest.

import { dirname, join } from "node:path";
import { main, setUp } from "./setup/index.mjs";
import { modulePath, root } from "./setup/places.mjs";
import { runForeground } from "./setup/run.mjs";

main(async () => {
  const { args, choice } = await setUp(process.argv.slice(2));
  const vitest = join(dirname(modulePath("vitest/package.json")), "vitest.mjs");
  return runForeground([vitest, "run", ...args], { env: choice.env, cwd: root });
});
