/** Why this browser cannot train, and what to do; undefined where WebGPU is on offer. */
export function missingWebGpu(): { what: string; todo: string } | undefined {
  if ("gpu" in navigator) return undefined;
  if (!isSecureContext) {
    return {
      what: "WebGPU needs a secure page",
      todo: "Browsers offer WebGPU to https:// addresses and to localhost alone: open this page from one of these.",
    };
  }
  return {
    what: "This browser has no WebGPU",
    todo:
      "Open the page in a recent Chrome, Edge, Firefox or Safari. On Linux, Chrome may need " +
      "chrome://flags/#enable-unsafe-webgpu; without a browser, the same model trains in Node.",
  };
}
