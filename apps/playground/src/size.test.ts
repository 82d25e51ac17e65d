// What a page downloads that trains with the packages.

import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { expect, test } from "vitest";

test("tensor, webgpu, moe, router-recurrent and model are together at most 60 kB", async () => {
  const names = ["tensor", "webgpu", "moe", "router-recurrent", "model"];
  const contents = names.map((name, i) => `export * as p${i} from "@webmoe/${name}";`).join("\n");
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: fileURLToPath(new URL("..", import.meta.url)) },
    ...{ bundle: true, minify: true, format: "esm", target: "es2022", write: false },
  });
  const size = gzipSync(outputFiles![0]!.contents, { level: 9 }).length / 1000;
  console.log(`packages: ${size.toFixed(1)} kB gzip`);
  expect(size).toBeLessThanOrEqual(60);
});
