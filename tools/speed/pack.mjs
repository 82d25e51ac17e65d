// `node tools/speed/pack.mjs DEST`: what a machine without this repository needs to measure itself, in few files. There,
// `node DEST/tools/run.mjs --webmoe DEST/dist/webmoe.mjs …` does what tools/speed/run.mjs does here. Dawn (the package
// `webgpu`) has to be where Node finds it from DEST.

import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "../..");
const destination = process.argv[2];
if (!destination || destination.startsWith("-")) {
  console.error("pack: needs the folder to write: node tools/speed/pack.mjs DEST");
  process.exit(2);
}
const { build } = createRequire(join(root, "apps/cli/package.json"))("esbuild");
const shared = { bundle: true, platform: "node", format: "esm", logLevel: "warning", target: "node20" };
const banner =
  'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);';

mkdirSync(join(destination, "dist"), { recursive: true });
await build({
  ...shared,
  entryPoints: [join(root, "apps/cli/src/main.ts")],
  outfile: join(destination, "dist/webmoe.mjs"),
  external: ["webgpu", "esbuild"],
  banner: { js: banner },
});
const { name, version, type } = JSON.parse(readFileSync(join(root, "apps/cli/package.json"), "utf8"));
writeFileSync(join(destination, "package.json"), `${JSON.stringify({ name, version, type, private: true })}\n`);
for (const file of readdirSync(import.meta.dirname)) {
  if (file === "pack.mjs" || file.includes(".test.")) continue;
  cpSync(join(import.meta.dirname, file), join(destination, "tools", file));
}
console.log(`packed into ${destination}`);
