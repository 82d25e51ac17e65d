// Chooses an adapter once and remembers it until a driver or a GPU comes or goes, so that later starts are silent.

import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { installAdvice } from "./advice.mjs";
import { adapterNames, chooseAdapter } from "./choose.mjs";
import { installMesa, mesaRefusal } from "./mesa.mjs";
import { cacheFolder, modulePath } from "./places.mjs";
import { probe } from "./probe.mjs";
import { done } from "./say.mjs";
import { swiftshader } from "./swiftshader.mjs";
import { driverFingerprint, lavapipeDriver, linuxDistribution, onlyDriver } from "./vulkan.mjs";

/** @typedef {import("./choose.mjs").AdapterName} AdapterName */
/** @typedef {import("./choose.mjs").Choice} Choice */

/** @type {import("./choose.mjs").Ways} */
const thisMachine = {
  probe,
  mesaRefusal,
  installMesa,
  lavapipe() {
    const driver = lavapipeDriver();
    return driver === undefined ? undefined : onlyDriver(driver);
  },
  swiftshader,
  advice: installAdvice(linuxDistribution(), process.platform),
};

/**
 * The adapter to use, with the environment variables a Node process needs to get it. They must be set before it starts.
 * @param {string} [wanted] `auto`, `hardware`, `lavapipe` or `swiftshader`; by default WEBMOE_ADAPTER or `auto`
 * @param {{ ways?: import("./choose.mjs").Ways, folder?: string }} [machine] another one, for tests
 * @returns {Promise<Choice>}
 */
export async function findAdapter(
  wanted = process.env.WEBMOE_ADAPTER || "auto",
  { ways = thisMachine, folder = cacheFolder() } = {},
) {
  const name = adapterNames.find((known) => known === wanted);
  if (!name) throw new Error(`--adapter: needs ${adapterNames.join(", ")}, got "${wanted}"`);
  const file = join(folder, `adapter-${name}.json`);
  const remembered = recall(file);
  if (remembered) return forChild(remembered);
  const choice = await chooseAdapter(name, ways);
  done(`adapter: ${choice.adapter.name} (${choice.why})`);
  writeFileSync(file, JSON.stringify({ fingerprint: fingerprint(), ...choice }, null, 2));
  return forChild(choice);
}

/**
 * The environment variables for a child process that shall see this adapter; for tests that compare adapters.
 * @param {AdapterName} name
 */
export async function adapterEnv(name) {
  return (await findAdapter(name)).env;
}

/** @param {string} file @returns {Choice | undefined} what was chosen, if everything it stands on is as it was */
function recall(file) {
  try {
    const { fingerprint: then, ...choice } = JSON.parse(readFileSync(file, "utf8"));
    const driver = choice.env.VK_DRIVER_FILES;
    return then === fingerprint() && (!driver || existsSync(driver)) ? choice : undefined;
  } catch {
    return undefined;
  }
}

function fingerprint() {
  const { version } = JSON.parse(readFileSync(modulePath("webgpu/package.json"), "utf8"));
  const text = JSON.stringify([version, process.arch, userVariables(), driverFingerprint()]);
  return createHash("sha256").update(text).digest("hex");
}

/** The user's own driver variables: a process that we started has ours in their place, and theirs in WEBMOE_VARIABLES. */
function userVariables() {
  const { WEBMOE_VARIABLES, VK_DRIVER_FILES, VK_ICD_FILENAMES, LD_LIBRARY_PATH } = process.env;
  return WEBMOE_VARIABLES ?? JSON.stringify([VK_DRIVER_FILES, VK_ICD_FILENAMES, LD_LIBRARY_PATH]);
}

/** @param {Choice} choice @returns {Choice} */
function forChild(choice) {
  return { ...choice, env: { ...choice.env, WEBMOE_VARIABLES: userVariables() } };
}
