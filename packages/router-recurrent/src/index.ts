export { type RecurrentRouterOptions, recurrentRouter, recurrentRouter as default } from "./recurrent-router";
