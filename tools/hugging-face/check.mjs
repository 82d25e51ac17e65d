// Whether PyTorch computes of exported models what webmoe does, and trains them on: node tools/hugging-face/check.mjs [PYTHON].
// Writes small models of every router and kind of experts that an export covers, with webmoe's logits, and lets check_export.py
// compare; then train_fsdp.py trains them in two processes with FSDP.

import { spawnSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { main, setUp } from "../setup/index.mjs";
import { modulePath, root } from "../setup/places.mjs";
import { runForeground } from "../setup/run.mjs";

main(async () => {
  const { args, choice } = await setUp(process.argv.slice(2));
  const folder = mkdtempSync(join(tmpdir(), "webmoe-hugging-face-"));
  const loader = pathToFileURL(modulePath("tsx")).href;
  const models = join(root, "apps/cli/src/hugging-face/reference-models.ts");
  const code = await runForeground(["--import", loader, models, folder], { env: choice.env });
  if (code !== 0) return code;
  console.log(`models are in ${folder}; on another machine: python3 tools/hugging-face/check_export.py FOLDER`);
  const python = (/** @type {string[]} */ ...given) =>
    spawnSync(args[0] ?? "python3", given, { stdio: "inherit" }).status ?? 1;
  const script = (/** @type {string} */ name) => join(root, "tools/hugging-face", name);
  const ranks = ["-m", "torch.distributed.run", "--nproc-per-node=2", "--master-addr=127.0.0.1", "--master-port=29541"];
  return python(script("check_export.py"), folder) || python(...ranks, script("train_fsdp.py"), folder);
});
