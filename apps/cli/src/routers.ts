import type { AnyRouter } from "@webmoe/router";
import { routerNamed, routerNames } from "@webmoe/routers";
import type { z } from "zod";
import type { Config } from "./config/schema";
import { didYouMean } from "./did-you-mean";
import { UsageError } from "./errors";
import { isRouterFile, loadRouterFile } from "./router-file";

/** Options that may be set for several routers at once; those without them leave them out, and say so. */
const SHARED_OPTIONS = ["bias", "init"];

/** The MoE layers of a configuration: what it says, unless its router needs others. */
export function layersFor({ moe, router: { name, ...options } }: Pick<Config, "moe" | "router">): Config["moe"] {
  return routerNamed(name)?.layers?.(moe, options) ?? moe;
}

/** The setting that is a router's own width, and what it has to be a multiple of; undefined where it has none. */
export function routerWidth({ name }: Config["router"]): { key: string; step: number } | undefined {
  const width = routerNamed(name)?.width;
  return width && { key: `router.${width.option}`, step: width.multiple };
}

/** Make the router of a configuration: one of the table, or the default export of a file. `say` hears what is left out. */
export async function makeRouter(
  { name, ...options }: Config["router"],
  say: (line: string) => void = (line) => console.error(line),
): Promise<AnyRouter> {
  const named = routerNamed(name);
  if (!named && !isRouterFile(name)) {
    throw new UsageError(
      `--router: needs a file or one of ${routerNames.join(", ")}, got "${name}"${didYouMean(name, routerNames)}`,
    );
  }
  if (!named) {
    const { make, options: schema } = await loadRouterFile(name);
    return make(schema ? checkedOptions(name, schema, options) : options);
  }
  const given = Object.entries(options).filter(([option]) => {
    const meant = option in named.options.shape || !SHARED_OPTIONS.includes(option);
    if (!meant) say(`router.${option}: means nothing to the ${name} router and is left out`);
    return meant;
  });
  return named.make(checkedOptions(name, named.options, Object.fromEntries(given)));
}

function checkedOptions(router: string, schema: z.ZodObject, options: Record<string, unknown>): unknown {
  const parsed = schema.safeParse(options);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  if (issue.code === "unrecognized_keys") {
    const [key] = issue.keys;
    const names = Object.keys(optionsAt(schema, issue.path).shape);
    const path = [...issue.path, key].join(".");
    throw new UsageError(`router.${path}: the ${router} router has no such option${didYouMean(key!, names)}`);
  }
  throw new UsageError(`router.${issue.path.join(".")}: ${issue.message} (router ${router})`);
}

/** The schema of options below a path. */
function optionsAt(schema: z.ZodObject, path: PropertyKey[]): z.ZodObject {
  return path.reduce<z.ZodObject>((outer, name) => {
    const inner = outer.shape[name as string] as z.ZodOptional<z.ZodObject>;
    return inner.unwrap();
  }, schema);
}
