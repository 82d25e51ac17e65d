import type { AnyRouter } from "@webmoe/router";

/** What a bootstrap left for this worker: the visitor's code as a function of `require` and `exports`. */
declare global {
  var webmoeVisitor: ((require: (name: string) => unknown, exports: Record<string, unknown>) => void) | undefined;
}

/** The router that the visitor wrote: what the default export of the code makes. */
export async function visitorRouter(): Promise<AnyRouter> {
  const run = globalThis.webmoeVisitor;
  if (!run) throw new Error("router code: this worker was started without any");
  const { modules } = await import("./modules");
  const exports: { default?: (options: object) => AnyRouter } = {};
  run((name) => {
    if (!Object.hasOwn(modules, name)) {
      throw new Error(`router code: may import ${Object.keys(modules).join(", ")}, got "${name}"`);
    }
    return modules[name];
  }, exports);
  if (typeof exports.default !== "function") {
    throw new Error(`router code: needs a default export (options) => Router, got ${typeof exports.default}`);
  }
  const router = exports.default({});
  if (typeof router?.init !== "function" || typeof router.score !== "function") {
    throw new Error("router code: the default export must return a router with init and score: use defineRouter");
  }
  return router;
}
