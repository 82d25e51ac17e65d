import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { adapterEnv, findAdapter } from "./adapter.mjs";
import { checkNode, takeAdapter } from "./index.mjs";
import { probe } from "./probe.mjs";
import { swiftshader } from "./swiftshader.mjs";

test("--adapter is taken out of the command line, wherever it stands", () => {
  expect(takeAdapter(["train", "--adapter", "swiftshader", "-x"])).toEqual({
    wanted: "swiftshader",
    rest: ["train", "-x"],
  });
  expect(takeAdapter(["--adapter=lavapipe", "a"])).toEqual({ wanted: "lavapipe", rest: ["a"] });
  expect(takeAdapter(["a"])).toEqual({ wanted: undefined, rest: ["a"] });
});

test("Node before 20.19 is named and refused", () => {
  expect(() => checkNode("20.18.3")).toThrow("needs Node 20.19 or later, got 20.18.3");
  expect(() => checkNode("20.19.0")).not.toThrow();
  expect(() => checkNode("22.1.0")).not.toThrow();
});

test("an unknown adapter is an error that names the known ones", async () => {
  await expect(findAdapter("vulkan")).rejects.toThrow('needs auto, hardware, lavapipe, swiftshader, got "vulkan"');
});

test("a forced SwiftShader is what a child process gets, and computes", async () => {
  const env = await adapterEnv("swiftshader");
  expect(await probe(env)).toEqual({ adapter: { name: "SwiftShader", software: true } });
  expect(existsSync(swiftshader().VK_DRIVER_FILES)).toBe(true);
});

test("a process that sees no driver is told apart from one that has an adapter", async () => {
  const result = await probe({ VK_DRIVER_FILES: "/nowhere.json", VK_ICD_FILENAMES: "/nowhere.json" });
  expect(result).toEqual({ reason: "Dawn found no adapter" });
});

test("a program that cannot start ends with one message and exit code 1", () => {
  const script = fileURLToPath(new URL("../webmoe.mjs", import.meta.url));
  const { status, stderr } = spawnSync(process.execPath, [script, "--adapter", "none"], { encoding: "utf8" });
  expect(status).toBe(1);
  expect(stderr).toBe('✗ --adapter: needs auto, hardware, lavapipe, swiftshader, got "none"\n');
});
