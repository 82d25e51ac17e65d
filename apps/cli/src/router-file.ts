import { access } from "node:fs/promises";
import { resolve } from "node:path";
import type { AnyRouter } from "@webmoe/router";
import type { z } from "zod";
import { UsageError } from "./errors";
import { importFile } from "./import-file";

/** What makes a router, and the schema of the options that `--set router.…` takes; without one they are not checked. */
export interface RouterSource {
  // biome-ignore lint/suspicious/noExplicitAny: each router has options of its own, which its schema checks
  make(options: any): AnyRouter;
  options?: z.ZodObject;
}

/** True for a path, false for what can only be a name. */
export function isRouterFile(name: string): boolean {
  return /[./\\]/.test(name);
}

/** The router that a file makes: its default export, and the zod schema of its options where it exports one as `options`. */
export async function loadRouterFile(path: string): Promise<RouterSource> {
  const file = resolve(path);
  await access(file).catch(() => {
    throw new UsageError(`--router: there is no file "${path}"`);
  });
  const { default: make, options } = await importFile(file).catch((error: Error) => {
    throw new UsageError(`--router: "${path}" does not load: ${error.message.split("\n").slice(0, 2).join(" ")}`);
  });
  if (typeof make !== "function") {
    throw new UsageError(`--router: "${path}" needs a default export (options) => Router, got ${typeof make}`);
  }
  const makeChecked = (given: unknown) => checkedRouter(path, make as RouterSource["make"], given);
  return { make: makeChecked, options: options as RouterSource["options"] };
}

/** What the default export of a file makes, if that is a router. */
function checkedRouter(path: string, make: RouterSource["make"], options: unknown): AnyRouter {
  let router: Partial<AnyRouter> | undefined;
  try {
    router = make(options);
  } catch (error) {
    throw new UsageError(`--router: "${path}": ${(error as Error).message}`);
  }
  const isText = typeof router?.name === "string";
  if (isText && typeof router?.init === "function" && typeof router.score === "function") return router as AnyRouter;
  const shown = typeof router === "object" && router ? `{ ${Object.keys(router).join(", ")} }` : String(router);
  throw new UsageError(
    `--router: "${path}": its default export needs to return a router, { name, init, score }, got ${shown}`,
  );
}
