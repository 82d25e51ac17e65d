export { type LinearRouterOptions, linearRouter, linearRouter as default } from "./linear-router";
