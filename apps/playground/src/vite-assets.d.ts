// Imports that Vite turns into something else than a module.

declare module "*.css";

declare module "*?url" {
  const url: string;
  export default url;
}

declare module "*?worker&url" {
  const url: string;
  export default url;
}
