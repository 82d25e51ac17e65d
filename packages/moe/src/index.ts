export {
  type ExpertParameters,
  initExperts,
  type MoeConfig,
  type MoeInput,
  type MoeOutput,
  moeLayer,
} from "./moe-layer";
