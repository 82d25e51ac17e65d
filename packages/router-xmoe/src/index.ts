export { type XmoeRouterOptions, xmoeRouter, xmoeRouter as default } from "./xmoe-router";
