export { cosineRouter } from "./cosine-router";
export type { TemperatureOptions } from "./cosine-scores";
export { type XmoeRouterOptions, xmoeRouter, xmoeRouter as default } from "./xmoe-router";
