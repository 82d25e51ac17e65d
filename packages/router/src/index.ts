export { evenTopK } from "./even-top-k";
export { type BalanceInput, routerZLoss, switchBalance } from "./losses";
export {
  type AfterStepInput,
  type AnyRouter,
  defineRouter,
  type Router,
  type RouterParameters,
  type RouterShape,
  type ScoreInput,
  type Scores,
} from "./router";
export { scoreFlops } from "./score-flops";
export {
  type MatrixChoice,
  matrixSelection,
  shares,
  sigmoidTopK,
  type TopKChoice,
  topKSelection,
} from "./selections";
export {
  NO_EXPERT,
  type Selection,
  type Selector,
  type SelectorInput,
  type SoftmaxTopKOptions,
  softmaxTopK,
} from "./selector";
