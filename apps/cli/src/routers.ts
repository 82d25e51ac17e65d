import type { AnyRouter } from "@webmoe/router";
import { linearRouter } from "@webmoe/router-linear";
import { recurrentRouter } from "@webmoe/router-recurrent";
import { xmoeRouter } from "@webmoe/router-xmoe";
import { z } from "zod";
import { didYouMean } from "./did-you-mean";
import { UsageError } from "./errors";
import { isRouterFile, loadRouterFile, type RouterSource } from "./router-file";

const width = z.number().int().positive();
const init = z.enum(["normal", "torch"]);

/** Routers that are known by name. */
const routers: Record<string, RouterSource> = {
  recurrent: {
    make: recurrentRouter,
    options: z.strictObject({ dim: width.optional(), bias: z.boolean().optional(), init: init.optional() }),
  },
  linear: { make: linearRouter, options: z.strictObject({ bias: z.boolean().optional(), init: init.optional() }) },
  xmoe: {
    make: xmoeRouter,
    options: z.strictObject({ dim: width.optional(), temperature: z.number().positive().optional() }),
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
  if (!routers[name] && !isRouterFile(name)) {
    const names = Object.keys(routers);
    throw new UsageError(
      `--router: needs a file or one of ${names.join(", ")}, got "${name}"${didYouMean(name, names)}`,
    );
  }
  const { make, options: schema } = routers[name] ?? (await loadRouterFile(name));
  return make(schema ? checkedOptions(name, schema, options) : options);
}

function checkedOptions(router: string, schema: z.ZodObject, options: Record<string, unknown>): unknown {
  const parsed = schema.safeParse(options);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  if (issue.code === "unrecognized_keys") {
    const [key] = issue.keys;
    const names = Object.keys(schema.shape);
    throw new UsageError(`router.${key}: the ${router} router has no such option${didYouMean(key!, names)}`);
  }
  throw new UsageError(`router.${issue.path.join(".")}: ${issue.message} (router ${router})`);
}
