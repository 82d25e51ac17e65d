import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findAdapter } from "./adapter.mjs";

let folder = "";
let probes = 0;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "webmoe-adapter-"));
  probes = 0;
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A machine without drivers whose SwiftShader is a file in the test's folder. */
function machine() {
  const driver = join(folder, "driver.json");
  writeFileSync(driver, "{}");
  /** @type {import("./choose.mjs").Ways} */
  const ways = {
    async probe(env) {
      probes++;
      return env.VK_DRIVER_FILES ? { adapter: { name: "SwiftShader", software: true } } : { reason: "none" };
    },
    mesaRefusal: () => "apt needs root",
    installMesa: async () => {},
    lavapipe: () => undefined,
    swiftshader: () => ({ VK_DRIVER_FILES: driver }),
    advice: [],
  };
  return { driver, options: { ways, folder } };
}

test("a choice is remembered: the second time nothing is probed", async () => {
  const { driver, options } = machine();
  const first = await findAdapter("auto", options);
  expect(first).toMatchObject({ adapter: { name: "SwiftShader" }, env: { VK_DRIVER_FILES: driver } });
  expect(probes).toBe(2);
  expect(await findAdapter("auto", options)).toEqual(first);
  expect(probes).toBe(2);
});

test("it is made again when the driver is gone, the machine differs or the file is damaged", async () => {
  const { driver, options } = machine();
  const file = join(folder, "adapter-auto.json");
  const again = async () => {
    probes = 0;
    await findAdapter("auto", options);
    return probes;
  };
  await again();
  rmSync(driver);
  expect(await again()).toBe(2);
  writeFileSync(driver, "{}");
  expect(await again()).toBe(0);
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, "utf8")), fingerprint: "another machine" }));
  expect(await again()).toBe(2);
  writeFileSync(file, '{"finger');
  expect(await again()).toBe(2);
});

test("each forced name is remembered by itself", async () => {
  const { options } = machine();
  await findAdapter("swiftshader", options);
  await expect(findAdapter("hardware", options)).rejects.toThrow('no WebGPU adapter of the kind "hardware"');
  await findAdapter("auto", options);
  expect(probes).toBe(4);
});
