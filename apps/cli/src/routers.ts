import { access } from "node:fs/promises";
import { resolve } from "node:path";
import type { AnyRouter } from "@webmoe/router";
import { linearRouter } from "@webmoe/router-linear";
import { recurrentRouter } from "@webmoe/router-recurrent";
import { xmoeRouter } from "@webmoe/router-xmoe";
import { z } from "zod";
import { didYouMean } from "./config/resolve";
import { UsageError } from "./errors";
import { importFile } from "./import-file";

const width = z.number().int().positive();
const init = z.enum(["normal", "torch"]);

interface KnownRouter {
  options: z.ZodObject;
  make(options: never): AnyRouter;
}

/** Routers that are known by name, with the options that `--set router.…` takes. */
const routers: Record<string, KnownRouter> = {
  recurrent: {
    options: z.strictObject({ dim: width.optional(), bias: z.boolean().optional(), init: init.optional() }),
    make: recurrentRouter,
  },
  linear: { options: z.strictObject({ bias: z.boolean().optional(), init: init.optional() }), make: linearRouter },
  xmoe: {
    options: z.strictObject({ dim: width.optional(), temperature: z.number().positive().optional() }),
    make: xmoeRouter,
  },
};

/** Make the router of a configuration: one of the table, or the default export of a file. */
export async function makeRouter({
  name,
  ...options
}: {
  name: string;
  [option: string]: unknown;
}): Promise<AnyRouter> {
  const known = routers[name];
  if (!known) return routerFromFile(name, options);
  const parsed = known.options.safeParse(options);
  if (parsed.success) return known.make(parsed.data as never);
  const issue = parsed.error.issues[0]!;
  const names = Object.keys(known.options.shape);
  if (issue.code === "unrecognized_keys") {
    throw new UsageError(
      `router.${issue.keys[0]}: the ${name} router has no such option${didYouMean(issue.keys[0]!, names)}`,
    );
  }
  throw new UsageError(`router.${issue.path.join(".")}: ${issue.message} (router ${name})`);
}

async function routerFromFile(path: string, options: Record<string, unknown>): Promise<AnyRouter> {
  if (!/[./\\]/.test(path)) {
    throw new UsageError(
      `--router: needs a file or one of ${Object.keys(routers).join(", ")}, got "${path}"${didYouMean(path, Object.keys(routers))}`,
    );
  }
  const file = resolve(path);
  await access(file).catch(() => {
    throw new UsageError(`--router: there is no file "${path}"`);
  });
  const { default: factory } = await importFile(file).catch((error: Error) => {
    throw new UsageError(`--router: "${path}" does not load: ${error.message.split("\n").slice(0, 2).join(" ")}`);
  });
  if (typeof factory !== "function") {
    throw new UsageError(`--router: "${path}" needs a default export (options) => Router, got ${typeof factory}`);
  }
  return factory(options) as AnyRouter;
}
