export { type BalanceInput, routerZLoss, switchBalanceLoss } from "./losses";
export {
  type AnyRouter,
  defineRouter,
  type Router,
  type RouterParameters,
  type RouterShape,
  type ScoreInput,
  type Scores,
} from "./router";
export {
  NO_EXPERT,
  type Selection,
  type Selector,
  type SelectorInput,
  type SoftmaxTopKOptions,
  softmaxTopK,
} from "./selector";
