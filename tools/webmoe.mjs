// `pnpm webmoe …`, `npm run webmoe -- …`: the command-line program from source, on an adapter that works.

import { main, setUp } from "./setup/index.mjs";
import { runWebmoe } from "./setup/webmoe.mjs";

main(async () => {
  const { args, choice } = await setUp(process.argv.slice(2));
  return runWebmoe(args, choice.env);
});
