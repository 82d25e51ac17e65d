/**
 * What to install for a software adapter, as the lines to type on this machine.
 * @param {{ id: string, version: string, like: string }} distribution of /etc/os-release
 * @param {NodeJS.Platform} platform
 * @returns {string[]}
 */
export function installAdvice({ id, version, like }, platform) {
  if (platform === "darwin") return ["macOS 12 or later on a Mac with Metal; nothing else brings an adapter there"];
  if (platform === "win32") return ["a graphics driver with Direct3D 12 from your GPU's maker"];
  const family = `${id} ${like}`;
  const gpu = "or, with a GPU, its maker's Vulkan driver";
  if (id === "debian" && version === "12") {
    return [
      'echo "deb http://deb.debian.org/debian bookworm-backports main" | sudo tee /etc/apt/sources.list.d/backports.list',
      "sudo apt update && sudo apt install -t bookworm-backports mesa-vulkan-drivers",
      gpu,
    ];
  }
  if (/debian|ubuntu/.test(family)) return ["sudo apt install mesa-vulkan-drivers", gpu];
  if (/fedora|rhel/.test(family)) return ["sudo dnf install mesa-vulkan-drivers", gpu];
  if (/arch/.test(family)) return ["sudo pacman -S vulkan-swrast", gpu];
  if (/suse/.test(family)) return ["sudo zypper install libvulkan_lvp", gpu];
  if (/alpine/.test(family)) return ["a distribution with glibc: Dawn's build for Node does not run on musl"];
  return ["Mesa's Vulkan drivers (lavapipe), version 23 or later, and the Vulkan loader libvulkan.so.1", gpu];
}
