import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { keptFlags } from "./kept-flags.mjs";
import { root } from "./places.mjs";

test("flags that npm keeps for itself are found; its own settings and what pnpm passes on are left alone", () => {
  const npm = {
    npm_config_user_agent: "npm/11.0.0 node/v20.19.0 linux x64",
    npm_config_cache: "/tmp",
    npm_config_audit: "",
  };
  expect(keptFlags(npm)).toEqual([]);
  expect(keptFlags({ ...npm, npm_config_dry_run: "true", npm_config_on_nan: "skip" })).toEqual([
    "--on-nan",
    "--dry-run",
  ]);
  expect(keptFlags({ npm_config_user_agent: "pnpm/10", npm_config_dry_run: "true" })).toEqual([]);
});

test("a command line without -- is refused before anything runs", () => {
  const { status, stderr } = spawnSync("npm", ["run", "webmoe", "train", "--dry-run"], { cwd: root, encoding: "utf8" });
  expect(stderr).toContain(
    "npm kept --dry-run for itself: write -- before what is not for npm, as npm run webmoe -- … --dry-run",
  );
  expect(status).toBe(1);
});
