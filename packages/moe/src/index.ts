export { checkMoeConfig, type MoeConfig } from "./config";
export {
  type ExpertParameters,
  initExperts,
  initSharedExperts,
  type SharedExpertParameters,
} from "./experts";
export type { MoeInput } from "./moe-input";
export { type MoeOutput, moeLayer } from "./moe-layer";
