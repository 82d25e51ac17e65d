export { type NamedRouter, routerNamed, routerNames } from "./named-routers";
