// The order in which adapters are tried, and what is said when none works. Pure: the ways to an adapter are handed in.

/** @typedef {import("./probe.mjs").AdapterInfo} AdapterInfo */
/** @typedef {Record<string, string>} Env */
/** @typedef {{ adapter: AdapterInfo, env: Env, why: string }} Choice */
/** @typedef {"auto" | "hardware" | "lavapipe" | "swiftshader"} AdapterName */

/**
 * @typedef {object} Ways
 * @property {(env: Env) => Promise<import("./probe.mjs").ProbeResult>} probe which adapter a process gets
 * @property {() => string | undefined} mesaRefusal why apt cannot bring lavapipe here
 * @property {() => Promise<void>} installMesa
 * @property {() => Env | undefined} lavapipe the installed one
 * @property {() => Env} swiftshader throws when there is none
 * @property {string[]} advice what to install where nothing works
 */

/** @type {AdapterName[]} */
export const adapterNames = ["auto", "hardware", "lavapipe", "swiftshader"];

/**
 * Find an adapter: hardware, else a software driver that is there, else Mesa's through apt, else SwiftShader. Another
 * name than `auto` allows one kind alone.
 * @param {AdapterName} wanted
 * @param {Ways} ways
 * @returns {Promise<Choice>} throws with what was tried and what to install
 */
export async function chooseAdapter(wanted, ways) {
  /** @type {string[]} */
  const tried = [];
  const attempts = wanted === "auto" ? [installed, aptMesa, swiftShader] : [only[wanted]];
  for (const attempt of attempts) {
    const choice = await attempt(ways, tried);
    if (choice) return choice;
  }
  throw new Error(noAdapter(wanted, tried, ways.advice));
}

/** @typedef {(ways: Ways, tried: string[]) => Promise<Choice | undefined>} Attempt */

/** @type {Attempt} */
async function installed(ways, tried) {
  const found = await tryEnv("installed drivers", {}, ways, tried);
  if (found) return { ...found, why: found.adapter.software ? "a software driver: no GPU found" : "hardware" };
}

/** @type {Attempt} */
async function aptMesa(ways, tried) {
  const refusal = ways.mesaRefusal();
  if (refusal) {
    tried.push(`mesa-vulkan-drivers through apt: ${refusal}`);
    return;
  }
  try {
    await ways.installMesa();
  } catch (error) {
    tried.push(`mesa-vulkan-drivers through apt: ${error instanceof Error ? error.message : error}`);
    return;
  }
  const found = await tryEnv("mesa-vulkan-drivers", {}, ways, tried);
  if (found) return { ...found, why: "software, from mesa-vulkan-drivers: no GPU found" };
}

/** @type {Attempt} */
async function swiftShader(ways, tried) {
  try {
    const found = await tryEnv("SwiftShader", ways.swiftshader(), ways, tried);
    if (found) return { ...found, why: "software, out of Chromium: no other Vulkan driver works here" };
  } catch (error) {
    tried.push(`SwiftShader: ${error instanceof Error ? error.message : error}`);
  }
}

/** @type {Record<Exclude<AdapterName, "auto">, Attempt>} */
const only = {
  async hardware(ways, tried) {
    const found = await tryEnv("installed drivers", {}, ways, tried);
    if (found && !found.adapter.software) return { ...found, why: "as asked" };
    if (found) tried.push(`installed drivers: ${found.adapter.name} is software`);
  },
  async lavapipe(ways, tried) {
    if (!ways.lavapipe() && !ways.mesaRefusal()) await ways.installMesa();
    const env = ways.lavapipe();
    if (!env) tried.push("lavapipe: no lvp_icd.json among the Vulkan drivers");
    const found = env && (await tryEnv("lavapipe", env, ways, tried));
    if (found) return { ...found, why: "as asked" };
  },
  async swiftshader(ways, tried) {
    const found = await swiftShader(ways, tried);
    if (found) return { ...found, why: "as asked" };
  },
};

/** @param {string} what @param {Env} env @param {Ways} ways @param {string[]} tried */
async function tryEnv(what, env, ways, tried) {
  const result = await ways.probe(env);
  if (result.adapter) return { adapter: result.adapter, env };
  tried.push(`${what}: ${result.reason}`);
}

/** @param {AdapterName} wanted @param {string[]} tried @param {string[]} advice */
function noAdapter(wanted, tried, advice) {
  const kind = wanted === "auto" ? "" : ` of the kind "${wanted}"`;
  const indented = (/** @type {string[]} */ lines) => lines.map((line) => `    ${line}`);
  return [
    `no WebGPU adapter${kind}. Tried:`,
    ...indented(tried),
    "  Install a driver, then run the same command again:",
    ...indented(wanted === "hardware" ? ["the Vulkan driver of your GPU's maker"] : advice),
  ].join("\n");
}
