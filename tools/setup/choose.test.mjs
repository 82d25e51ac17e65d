import { expect, test } from "vitest";
import { chooseAdapter } from "./choose.mjs";

const gpu = { name: "GeForce", software: false };
const lavapipe = { name: "lavapipe", software: true };
const swiftshader = { name: "SwiftShader", software: true };

/**
 * A machine: what a plain process gets before and after Mesa is installed, and what else it offers.
 * @param {{ plain?: object, afterMesa?: object, root?: boolean, mesaFails?: boolean, shipped?: boolean, lvp?: boolean }} machine
 */
function machine({ plain, afterMesa, root = false, mesaFails = false, shipped = true, lvp = false }) {
  /** @type {string[]} */
  const steps = [];
  let mesa = false;
  /** @type {any} */
  const ways = {
    async probe(/** @type {Record<string, string>} */ env) {
      steps.push(`probe ${Object.values(env)[0] ?? "plain"}`);
      const adapter = env.VK === "ss" ? swiftshader : env.VK === "lvp" ? lavapipe : mesa ? afterMesa : plain;
      return adapter ? { adapter } : { reason: "Dawn found no adapter" };
    },
    mesaRefusal: () => (root ? undefined : "apt needs root"),
    async installMesa() {
      steps.push("install");
      if (mesaFails) throw new Error("no network");
      mesa = true;
    },
    lavapipe: () => (lvp || mesa ? { VK: "lvp" } : undefined),
    swiftshader() {
      if (!shipped) throw new Error("none shipped");
      return { VK: "ss" };
    },
    advice: ["apt install a-driver"],
  };
  return { ways, steps };
}

test.each([
  ["hardware first", { plain: gpu, root: true }, gpu, ["probe plain"]],
  ["a software driver that is there", { plain: lavapipe, root: true }, lavapipe, ["probe plain"]],
  ["Mesa for root", { root: true, afterMesa: lavapipe }, lavapipe, ["probe plain", "install", "probe plain"]],
  ["SwiftShader without root", {}, swiftshader, ["probe plain", "probe ss"]],
  ["SwiftShader when apt fails", { root: true, mesaFails: true }, swiftshader, ["probe plain", "install", "probe ss"]],
  [
    "SwiftShader when Mesa is too old",
    { root: true },
    swiftshader,
    ["probe plain", "install", "probe plain", "probe ss"],
  ],
])("%s", async (_, given, adapter, expected) => {
  const { ways, steps } = machine(given);
  expect((await chooseAdapter("auto", ways)).adapter).toEqual(adapter);
  expect(steps).toEqual(expected);
});

test("a name allows its kind alone", async () => {
  const both = machine({ plain: gpu, lvp: true }).ways;
  expect((await chooseAdapter("hardware", both)).adapter).toEqual(gpu);
  expect(await chooseAdapter("lavapipe", both)).toMatchObject({ adapter: lavapipe, env: { VK: "lvp" } });
  expect(await chooseAdapter("swiftshader", both)).toMatchObject({ adapter: swiftshader, env: { VK: "ss" } });
  await expect(chooseAdapter("hardware", machine({ plain: lavapipe }).ways)).rejects.toThrow(/lavapipe is software/);
  await expect(chooseAdapter("lavapipe", machine({ plain: gpu }).ways)).rejects.toThrow(/no lvp_icd.json/);
  expect((await chooseAdapter("lavapipe", machine({ root: true }).ways)).adapter).toEqual(lavapipe);
});

test("where nothing works the message says what was tried and what to install", async () => {
  const error = await chooseAdapter("auto", machine({ shipped: false }).ways).catch((reason) => reason);
  expect(error.message.split("\n")).toEqual([
    "no WebGPU adapter. Tried:",
    "    installed drivers: Dawn found no adapter",
    "    mesa-vulkan-drivers through apt: apt needs root",
    "    SwiftShader: none shipped",
    "  Install a driver, then run the same command again:",
    "    apt install a-driver",
  ]);
});
