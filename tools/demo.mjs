// `npm run demo`: set up, then train a small language model with the recurrent router on Moby-Dick.

import { main, setUp } from "./setup/index.mjs";
import { runWebmoe } from "./setup/webmoe.mjs";

main(async () => {
  const { args, choice } = await setUp(process.argv.slice(2));
  const preset = choice.adapter.software ? "nano" : "tiny";
  return runWebmoe(["train", "--preset", preset, "--data", "moby-dick", "--router", "recurrent", ...args], choice.env);
});
