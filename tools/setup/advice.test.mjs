import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { installAdvice } from "./advice.mjs";
import { linuxDistribution } from "./vulkan.mjs";

test.each([
  ["debian", "12", "", "bookworm-backports mesa-vulkan-drivers"],
  ["debian", "13", "", "sudo apt install mesa-vulkan-drivers"],
  ["linuxmint", "22", "ubuntu debian", "sudo apt install mesa-vulkan-drivers"],
  ["fedora", "42", "", "dnf install mesa-vulkan-drivers"],
  ["arch", "", "", "vulkan-swrast"],
  ["somethingelse", "1", "", "libvulkan.so.1"],
])("%s %s is told its own command", (id, version, like, expected) => {
  expect(installAdvice({ id, version, like }, "linux").join("\n")).toContain(expected);
});

test("os-release is read with and without quotes, and may be missing", () => {
  const folder = mkdtempSync(join(tmpdir(), "webmoe-release-"));
  const file = join(folder, "os-release");
  writeFileSync(file, 'NAME="Debian GNU/Linux"\nVERSION_ID="12"\nID=debian\n');
  expect(linuxDistribution(file)).toEqual({ id: "debian", version: "12", like: "" });
  rmSync(folder, { recursive: true });
  expect(linuxDistribution(file)).toEqual({ id: "", version: "", like: "" });
});
