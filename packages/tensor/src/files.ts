// Tensors in files, which no program on a device needs: `@webmoe/tensor/files`.

export { fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from "./half-floats";
export {
  decodeHeader,
  encodeHeader,
  headerBytes,
  parseSafetensors,
  type SafetensorsDtype,
  type TensorInfo,
  tensorBytes,
} from "./safetensors";
