import type { SafetensorsDtype } from "@webmoe/tensor/files";
import { toBfloat16, toFloat16 } from "@webmoe/tensor/files";

/** What exported numbers are: their name in safetensors files and in PyTorch, and how an f32 becomes one. */
export const EXPORT_TYPES = {
  f32: { dtype: "F32", torch: "float32", convert: (values: Float32Array) => values },
  f16: { dtype: "F16", torch: "float16", convert: toFloat16 },
  bf16: { dtype: "BF16", torch: "bfloat16", convert: toBfloat16 },
} as const satisfies Record<
  string,
  { dtype: SafetensorsDtype; torch: string; convert(values: Float32Array): Float32Array | Uint16Array }
>;

/** The name of a type of exported numbers. */
export type ExportType = keyof typeof EXPORT_TYPES;
