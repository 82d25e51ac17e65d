// `npm run bench`: how fast each kernel is here. With arguments it is `webmoe bench`, which times training steps:
// `npm run bench -- --preset nano`.

import { main, setUp } from "./setup/index.mjs";
import { runWebmoe } from "./setup/webmoe.mjs";

main(async () => {
  const { args, choice } = await setUp(process.argv.slice(2));
  return runWebmoe(["bench", ...(args.length > 0 ? args : ["--kernels"])], choice.env);
});
