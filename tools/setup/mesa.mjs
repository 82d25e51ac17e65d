// Mesa's software driver (lavapipe) from the distribution, for root on Debian and Ubuntu.

import { spawnSync } from "node:child_process";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "./places.mjs";
import { runLogged } from "./run.mjs";
import { during, note } from "./say.mjs";
import { linuxDistribution } from "./vulkan.mjs";

const sourceFile = "/etc/apt/sources.list.d/webmoe-backports.list";
const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** Why apt cannot bring a driver here, or nothing. */
export function mesaRefusal() {
  if (process.platform !== "linux") return "Mesa is for Linux";
  if (process.getuid?.() !== 0) return "apt needs root";
  const { id, like } = linuxDistribution();
  if (!/\b(debian|ubuntu)\b/.test(`${id} ${like}`) || !existsSync("/usr/bin/apt-get")) return "no apt-get";
}

/**
 * Install `mesa-vulkan-drivers`; on Debian 12 from its backports, since Dawn needs a newer Mesa than its own 22.3.
 * @returns {Promise<void>} throws with the end of apt's output when it fails
 */
export async function installMesa() {
  const log = join(cacheFolder(), "apt.log");
  rmSync(log, { force: true });
  const { id, version } = linuxDistribution();
  const suite = id === "debian" && version === "12" ? "bookworm-backports" : undefined;
  if (suite) addBackports(suite);
  const env = { DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C" };
  const patient = ["-o", "DPkg::Lock::Timeout=120"];
  const release = suite ? ["-t", suite] : [];
  const install = ["install", "-y", "--no-install-recommends", ...patient, ...release, "mesa-vulkan-drivers"];
  await during(
    "installing mesa-vulkan-drivers with apt",
    (_, seconds) => `mesa-vulkan-drivers installed with apt in ${seconds} s`,
    async () => {
      // A list that cannot be read is no reason to stop: the one with Mesa may be among the others.
      await runLogged("apt-get", ["update", ...patient], { log, env });
      const { ok, tail } = await runLogged("apt-get", install, { log, env });
      if (!ok) throw new Error(`apt-get install mesa-vulkan-drivers failed (log: ${log}): ${tail.split("\n").at(-1)}`);
    },
  );
}

/** @param {string} suite */
function addBackports(suite) {
  const format = ["indextargets", "--format", "$(REPO_URI) $(RELEASE)", "Created-By: Packages"];
  const known = spawnSync("apt-get", format, { encoding: "utf8" }).stdout ?? "";
  const sources = known.split("\n").map((line) => line.split(" "));
  if (sources.some(([, release]) => release === suite)) return;
  const mirror = sources.find(([, release]) => release === "bookworm")?.[0] ?? "http://deb.debian.org/debian/";
  const signed = existsSync(keyring) ? `[signed-by=${keyring}] ` : "";
  writeFileSync(sourceFile, `deb ${signed}${mirror} ${suite} main\n`);
  note(`added ${suite} to apt's sources (${sourceFile}): Debian 12's own Mesa is too old for Dawn`);
}
