// What the Vulkan loader of this machine sees, without starting it.

import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

const driverFolders = ["/usr/share/vulkan/icd.d", "/usr/local/share/vulkan/icd.d", "/etc/vulkan/icd.d"];

/** Files and folders that change when a GPU or a driver comes or goes, each with its date. */
export function driverFingerprint() {
  const folders = driverFolders.map((folder) => `${folder}@${changed(folder)}: ${list(folder).join(" ")}`);
  const devices = list("/dev").filter((name) => /^(nvidia\d+|dxg|kfd)$/.test(name));
  return [...folders, ...devices, ...list("/dev/dri")].join("\n");
}

/**
 * The driver file of an installed lavapipe.
 * @returns {string | undefined}
 */
export function lavapipeDriver() {
  for (const folder of driverFolders) {
    const name = list(folder).find((file) => /^lvp_icd.*\.json$/.test(file));
    if (name) return join(folder, name);
  }
}

/**
 * Environment variables that let a process see one driver alone.
 * @param {string} driver the path of its ICD file
 * @param {string} [libraries] a folder with a Vulkan loader, put before the system's
 * @returns {Record<string, string>}
 */
export function onlyDriver(driver, libraries) {
  // The loader reads the first from version 1.3.207 on, the second before.
  /** @type {Record<string, string>} */
  const env = { VK_DRIVER_FILES: driver, VK_ICD_FILENAMES: driver };
  if (libraries) {
    const others = (process.env.LD_LIBRARY_PATH ?? "").split(":").filter((folder) => folder && folder !== libraries);
    env.LD_LIBRARY_PATH = [libraries, ...others].join(":");
  }
  return env;
}

/**
 * `ID` and `VERSION_ID` of /etc/os-release, such as debian and 12, and what it descends from.
 * @param {string} [file]
 */
export function linuxDistribution(file = "/etc/os-release") {
  /** @type {Record<string, string>} */
  const values = {};
  try {
    for (const [, key, value] of readFileSync(file, "utf8").matchAll(/^(\w+)="?([^"\n]*)"?$/gm)) values[key] = value;
  } catch {
    // not Linux, or a very small one
  }
  return { id: values.ID ?? "", version: values.VERSION_ID ?? "", like: values.ID_LIKE ?? "" };
}

/** @param {string} folder */
function list(folder) {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

/** @param {string} path */
function changed(path) {
  try {
    return statSync(path).mtimeMs;
  } catch {
    return 0;
  }
}
