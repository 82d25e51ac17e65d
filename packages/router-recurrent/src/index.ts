export {
  type RecurrentCarry,
  type RecurrentRouterOptions,
  recurrentRouter,
  recurrentRouter as default,
} from "./recurrent-router";
