import type { AnyRouter } from "@webmoe/router";
import {
  denseRouter,
  expertChoiceRouter,
  flowRouter,
  hashRouter,
  hyperRouter,
  lossFreeRouter,
  mlpRouter,
  omniRouter,
  randomRouter,
  remoeRouter,
  sigmoidRouter,
  stableRouter,
} from "@webmoe/router-baselines";
import { linearRouter } from "@webmoe/router-linear";
import { recurrentRouter } from "@webmoe/router-recurrent";
import { cosineRouter, xmoeRouter } from "@webmoe/router-xmoe";
import { z } from "zod";
import type { Config } from "./config/schema";
import { didYouMean } from "./did-you-mean";
import { UsageError } from "./errors";
import { isRouterFile, loadRouterFile, type RouterSource } from "./router-file";

const width = z.number().int().positive().optional();
const positive = z.number().positive().optional();
const flag = z.boolean().optional();
const init = z.enum(["normal", "torch"]).optional();
const temperature = { temperature: positive, learnTemperature: flag };
const recurrent = {
  dim: width,
  cell: z.enum(["gru", "rnn", "lstm"]).optional(),
  projection: z.enum(["layer", "none"]).optional(),
  state: flag,
  detachState: flag,
  residual: z.number().optional(),
  detachResidual: flag,
  bias: flag,
  init,
};

/** A router that is known by name. */
interface NamedRouter extends RouterSource {
  options: z.ZodObject;
  /** The MoE layers that it needs, where they are not those of the configuration. */
  layers?(moe: Config["moe"], options: Record<string, unknown>): Config["moe"];
}

/** Routers that are known by name; docs/routers.md describes them. */
const routers: Record<string, NamedRouter> = {
  recurrent: { make: recurrentRouter, options: z.strictObject(recurrent) },
  "recurrent+xmoe": recurrentWith("xmoe"),
  linear: { make: linearRouter, options: z.strictObject({ bias: flag, init }) },
  xmoe: { make: xmoeRouter, options: z.strictObject({ dim: width, ...temperature }) },
  cosine: { make: cosineRouter, options: z.strictObject(temperature) },
  mlp: {
    make: mlpRouter,
    options: z.strictObject({ hidden: width, activation: z.enum(["gelu", "relu"]).optional(), bias: flag, init }),
  },
  hyper: { make: hyperRouter, options: z.strictObject({ hidden: width, init }) },
  random: { make: randomRouter, options: z.strictObject({ bias: flag, init }) },
  hash: { make: hashRouter, options: z.strictObject({}) },
  stable: {
    make: stableRouter,
    options: z.strictObject({ switchAt: width, dim: width, distill: z.number().nonnegative().optional(), init }),
  },
  "loss-free": {
    make: lossFreeRouter,
    options: z.strictObject({ rate: positive, scores: z.enum(["sigmoid", "softmax"]).optional(), init }),
  },
  sigmoid: { make: sigmoidRouter, options: z.strictObject({ renormalize: flag, bias: flag, init }) },
  remoe: {
    make: remoeRouter,
    options: z.strictObject({ coefficient: positive, factor: z.number().gt(1).optional(), init }),
  },
  omni: { make: omniRouter, options: z.strictObject({ bias: flag, init }) },
  "expert-choice": { make: expertChoiceRouter, options: z.strictObject({ capacity: positive, bias: flag, init }) },
  flow: { make: flowRouter, options: z.strictObject({ dim: width, flows: width, init }) },
  dense: {
    make: () => denseRouter(),
    options: z.strictObject({ size: z.enum(["active", "total"]).optional() }),
    layers: (moe, { size }) => (size === "total" ? { ...moe, topK: moe.experts } : { ...moe, experts: moe.topK }),
  },
};

/** Options that may be set for several routers at once; those without them leave them out, and say so. */
const SHARED_OPTIONS = ["bias", "init"];

/** Routers whose scores do not depend on what they are given, so that nothing can stand in front of them. */
const BLIND = ["hash", "dense"];

/** The names of `--router`. */
export const routerNames: string[] = Object.keys(routers);

/** A router of the table, or `recurrent+NAME`: the recurrent stage in front of one. */
function known(name: string): NamedRouter | undefined {
  if (Object.hasOwn(routers, name)) return routers[name];
  const head = name.startsWith("recurrent+") ? name.slice("recurrent+".length) : "";
  return Object.hasOwn(routers, head) && !BLIND.includes(head) ? recurrentWith(head) : undefined;
}

/** The recurrent router with another in place of its gate; that one's options are `router.head.…`. */
function recurrentWith(head: string): NamedRouter {
  return {
    make: ({ head: options, ...own }) => recurrentRouter({ ...own, head: routers[head]!.make(options ?? {}) }),
    get options() {
      return z.strictObject({ ...recurrent, head: routers[head]!.options.optional() });
    },
  };
}

/** The MoE layers of a configuration: what it says, unless its router needs others. */
export function layersFor({ moe, router: { name, ...options } }: Pick<Config, "moe" | "router">): Config["moe"] {
  return known(name)?.layers?.(moe, options) ?? moe;
}

/** Make the router of a configuration: one of the table, or the default export of a file. */
export async function makeRouter({
  name,
  ...options
}: {
  name: string;
  [option: string]: unknown;
}): Promise<AnyRouter> {
  if (!known(name) && !isRouterFile(name)) {
    throw new UsageError(
      `--router: needs a file or one of ${routerNames.join(", ")}, got "${name}"${didYouMean(name, routerNames)}`,
    );
  }
  const named = known(name);
  if (!named) {
    const { make, options: schema } = await loadRouterFile(name);
    return make(schema ? checkedOptions(name, schema, options) : options);
  }
  const given = Object.entries(options).filter(([option]) => {
    const meant = option in named.options.shape || !SHARED_OPTIONS.includes(option);
    if (!meant) console.error(`router.${option}: means nothing to the ${name} router and is left out`);
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
