import { OutOfMemoryError } from "../errors";
import type { Gpu } from "../gpu";

/** Throw unless the budget of a device has room for `bytes` more; the error lists `parts`, bytes by what they are for. */
export function checkBudget(gpu: Gpu, label: string, bytes: number, parts: Record<string, number> = {}): void {
  if (gpu.memoryUsed + bytes <= gpu.memoryBudget) return;
  const listed = Object.entries(parts).filter(([, value]) => value > 0);
  const list = listed.length > 0 ? ` (${listed.map(([name, value]) => `${name} ${bytesText(value)}`).join(", ")})` : "";
  throw new OutOfMemoryError(
    `${label}: needs ${bytesText(bytes)} more where ${bytesText(gpu.memoryUsed)} of the budget of ` +
      `${bytesText(gpu.memoryBudget)} are taken${list}: use a smaller model, batch or context, or raise the budget`,
  );
}

/** Bytes in binary units: "1.46 GiB". */
export function bytesText(bytes: number): string {
  const power = Math.min(3, Math.max(0, Math.floor(Math.log2(Math.max(1, bytes)) / 10)));
  return `${Number((bytes / 2 ** (10 * power)).toPrecision(3))} ${["B", "KiB", "MiB", "GiB"][power]}`;
}

/** The error of memory that the GPU did not give. */
export function noRoom(label: string, bytes: number, { message }: GPUError): OutOfMemoryError {
  return new OutOfMemoryError(`${label}: the GPU has no room for ${bytesText(bytes)}: ${message.trim()}`);
}
