import { DeviceLostError, type Gpu } from "@webmoe/webgpu";

/** The loss of a device behind an error, if there is one: what fails first may be a call that the loss cut off. */
export async function lossOf(gpu: Gpu | undefined, error: unknown): Promise<DeviceLostError | undefined> {
  if (error instanceof DeviceLostError) return error;
  const moment = new Promise<undefined>((resolve) => setTimeout(resolve, 200));
  return gpu && Promise.race([gpu.lost, moment]);
}
