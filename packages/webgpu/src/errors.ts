/** A failure of the GPU itself: validation, out of memory, an unusable adapter. Not a usage error of an op. */
export class GpuError extends Error {
  override name = "GpuError";
}

/** The device, or the budget for it, has no room for what was asked. */
export class OutOfMemoryError extends GpuError {
  override name = "OutOfMemoryError";
}

/** The device went away (driver reset, watchdog, `destroy()`); reopen it and restore the state from a checkpoint. */
export class DeviceLostError extends GpuError {
  override name = "DeviceLostError";

  constructor(
    /** WebGPU's own reason: "destroyed" or "unknown". */
    readonly reason: string,
    message: string,
  ) {
    super(`device lost (${reason}): ${message || "no message from the driver"}`);
  }
}
