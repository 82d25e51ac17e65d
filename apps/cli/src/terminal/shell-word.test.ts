import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { shellWord } from "./shell-word";

test("a path that needs no quotes has none", () => {
  expect(["runs/nano-1", "../rün", "/a_b@c"].map((path) => shellWord(path, "linux"))).toEqual([
    "runs/nano-1",
    "../rün",
    "/a_b@c",
  ]);
  expect(shellWord("C:\\runs\\a", "win32")).toBe("C:\\runs\\a");
  expect(shellWord("my runs\\a", "win32")).toBe('"my runs\\a"');
});

test.each(["my runs/a", "it's here", "$HOME/*", "a\\b", '"', "täxt é"])("a shell reads %j as one word", (path) => {
  expect(execFileSync("sh", ["-c", `printf %s ${shellWord(path, "linux")}`]).toString()).toBe(path);
});
