// SwiftShader, a software Vulkan driver that needs no installation: out of npm's @sparticuz/chromium, or beside a Chromium.

import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { cacheFolder, modulePath } from "./places.mjs";
import { unpackOnce, unpackTar } from "./unpack.mjs";
import { onlyDriver } from "./vulkan.mjs";

const files = ["libvulkan.so.1", "libvk_swiftshader.so", "vk_swiftshader_icd.json"];

const chromiumFolders = [
  "/usr/lib/chromium",
  "/usr/lib/chromium-browser",
  "/usr/lib64/chromium-browser",
  "/opt/google/chrome",
  "/snap/chromium/current/usr/lib/chromium-browser",
];

/**
 * Environment variables under which a Node process sees SwiftShader.
 * @returns {Record<string, string>} throws when this machine has no SwiftShader to offer
 */
export function swiftshader() {
  const folder = unpacked() ?? chromiumFolders.find((place) => files.every((file) => existsSync(join(place, file))));
  if (!folder) {
    throw new Error(
      process.platform === "linux" && process.arch === "x64"
        ? "neither @sparticuz/chromium nor an installed Chromium with SwiftShader is there"
        : `@sparticuz/chromium carries it for Linux on x64 only, this is ${process.platform} on ${process.arch}`,
    );
  }
  return onlyDriver(join(folder, "vk_swiftshader_icd.json"), folder);
}

/** The folder of @sparticuz/chromium with its archives and its version, where that package is installed and runs. */
export function chromiumPackage() {
  if (process.platform !== "linux" || process.arch !== "x64") return;
  try {
    const folder = join(dirname(modulePath("@sparticuz/chromium")), "..");
    const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    return { bin: join(folder, "bin"), version };
  } catch {
    return;
  }
}

function unpacked() {
  const source = chromiumPackage();
  const archive = source && join(source.bin, "swiftshader.tar.br");
  if (!archive || !existsSync(archive)) return;
  const folder = join(cacheFolder(), `swiftshader-${source.version}`);
  unpackOnce(folder, (temporary) => unpackTar(archive, temporary, (name) => files.includes(name)));
  return folder;
}
