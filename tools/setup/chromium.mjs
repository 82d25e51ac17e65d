// A Chromium for tests of the page: the one installed here, else the headless one that @sparticuz/chromium carries.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliDecompressSync } from "node:zlib";
import { cacheFolder } from "./places.mjs";
import { chromiumPackage } from "./swiftshader.mjs";
import { unpackOnce, unpackTar } from "./unpack.mjs";

const installedPaths = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
];

const fontsConfig = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir prefix="relative">fonts</dir></fontconfig>
`;

/** @typedef {{ executablePath: string, args: string[], env: Record<string, string> }} Launch */

/**
 * How to launch a Chromium with WebGPU on SwiftShader: what playwright-core's `chromium.launch` takes.
 * @param {string} [installed] the path of the browser to use, by default WEBMOE_CHROMIUM or the first one found
 * @returns {Launch}
 */
export function chromiumLaunch(
  installed = process.env.WEBMOE_CHROMIUM || installedPaths.find((path) => existsSync(path)),
) {
  const args = [
    "--headless",
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-dev-shm-usage",
    "--disable-gpu-watchdog",
    "--enable-unsafe-webgpu",
    "--use-webgpu-adapter=swiftshader",
    "--enable-features=Vulkan",
  ];
  if (installed) return { executablePath: installed, args, env: environment() };
  const folder = unpacked();
  // Its own Vulkan loader, and libraries that a machine without a desktop lacks.
  const libraries = [folder, join(folder, "lib"), process.env.LD_LIBRARY_PATH].filter(Boolean).join(":");
  const env = { ...environment(), LD_LIBRARY_PATH: libraries, FONTCONFIG_PATH: folder };
  return { executablePath: join(folder, "chromium"), args, env };
}

/** The browser brings its own SwiftShader: a driver chosen for Node's sake stays out of it. */
function environment() {
  /** @type {Record<string, string>} */
  const env = {};
  for (const [key, value] of Object.entries(process.env)) {
    if (value !== undefined && key !== "VK_DRIVER_FILES" && key !== "VK_ICD_FILENAMES") env[key] = value;
  }
  return env;
}

function unpacked() {
  const source = chromiumPackage();
  if (!source) {
    throw new Error("no Chromium: install one (Debian: chromium) or set WEBMOE_CHROMIUM to its path");
  }
  const folder = join(cacheFolder(), `chromium-${source.version}`);
  unpackOnce(folder, (temporary) => {
    const binary = brotliDecompressSync(readFileSync(join(source.bin, "chromium.br")));
    writeFileSync(join(temporary, "chromium"), binary, { mode: 0o755 });
    for (const name of ["swiftshader", "al2023", "fonts"]) unpackTar(join(source.bin, `${name}.tar.br`), temporary);
    writeFileSync(join(temporary, "fonts.conf"), fontsConfig);
  });
  return folder;
}
