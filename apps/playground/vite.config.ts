import { defineConfig } from "vite";

// Relative addresses: the built page works from any folder of any server.
export default defineConfig({
  base: "./",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  worker: { format: "es" },
  build: { target: "es2022", sourcemap: true, rolldownOptions: { checks: { pluginTimings: false } } },
});
