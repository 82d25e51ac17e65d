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
import * as z from "zod";

/** A router that is known by name; docs/routers.md has its equation, size and options. */
export interface NamedRouter {
  /** What people call it. */
  title: string;
  /** One sentence on how it chooses. */
  about: string;
  /** Makes it from options that fit the schema. */
  // biome-ignore lint/suspicious/noExplicitAny: each router has options of its own, which its schema checks
  make(options: any): AnyRouter;
  /** Its options, each with a sentence, for forms and checks. */
  options: z.ZodObject;
  /** The experts of a layer that it needs, where they are not those of the configuration. */
  layers?<Moe extends { experts: number; topK: number }>(moe: Moe, options: Record<string, unknown>): Moe;
  /** The option that makes it larger or smaller, and what it has to be a multiple of. */
  width?: {
    /** The name of the option. */
    option: string;
    /** What its value has to be a multiple of. */
    multiple: number;
  };
}

const width = (what: string) => z.number().int().positive().optional().describe(what);
const positive = (what: string) => z.number().positive().optional().describe(what);
const flag = (what: string) => z.boolean().optional().describe(what);
const bias = flag("Add a bias to the scores; default false.");
const biasByDefault = flag("Add a bias to the scores; default true.");
const init = z
  .enum(["normal", "torch"])
  .optional()
  .describe("Initial values: normal (standard deviation 0.02, default) or PyTorch's.");
const torchInit = z.enum(["normal", "torch"]).optional().describe("Initial values: normal, or PyTorch's (default).");
const cosine = {
  temperature: positive("What cosines are divided by; default 0.3."),
  learnTemperature: flag("Learn the temperature; default true."),
};
const recurrent = {
  dim: width("Width of the state; default 128."),
  cell: z.enum(["gru", "rnn", "lstm"]).optional().describe("The recurrent cell; default gru."),
  projection: z
    .enum(["layer", "none"])
    .optional()
    .describe("A projection to the state's width for each layer (default), or none."),
  state: flag("Hand the state from layer to layer; default true."),
  detachState: flag("Stop the gradient through the state; default false."),
  residual: z.number().optional().describe("Share of the layer before's logits that is added; default 0."),
  detachResidual: flag("Stop the gradient through the residual; default false."),
  bias,
  init: torchInit,
};

const routers: Record<string, NamedRouter> = {
  recurrent: {
    title: "Recurrent (GRU)",
    about: "One GRU that all layers share remembers how a token was routed in the layers below.",
    make: recurrentRouter,
    options: z.strictObject(recurrent),
    width: { option: "dim", multiple: 1 },
  },
  "recurrent+xmoe": recurrentWith("xmoe"),
  linear: {
    title: "Linear",
    about: "One linear gate a layer; no layer knows how another routed the token.",
    make: linearRouter,
    options: z.strictObject({ bias, init }),
  },
  xmoe: {
    title: "XMoE",
    about: "Cosine similarity with the experts' embeddings in a space of few dimensions.",
    make: xmoeRouter,
    options: z.strictObject({ dim: width("Dimensions of that space; default 16."), ...cosine }),
    width: { option: "dim", multiple: 1 },
  },
  cosine: {
    title: "Cosine",
    about: "Cosine similarity with the experts' embeddings at full width.",
    make: cosineRouter,
    options: z.strictObject(cosine),
  },
  mlp: {
    title: "Perceptron",
    about: "A small network with one hidden layer scores the experts.",
    make: mlpRouter,
    options: z.strictObject({
      hidden: width("Width of the hidden layer; default 256."),
      activation: z.enum(["gelu", "relu"]).optional().describe("Its activation; default gelu."),
      bias: biasByDefault,
      init,
    }),
    width: { option: "hidden", multiple: 1 },
  },
  hyper: {
    title: "Hypernetwork",
    about: "A frozen network makes each layer's gate from a learned embedding of the layer.",
    make: hyperRouter,
    options: z.strictObject({ hidden: width("Width of the frozen network; default 256."), init: torchInit }),
  },
  random: {
    title: "Random, frozen",
    about: "A linear gate that stays as it was drawn.",
    make: randomRouter,
    options: z.strictObject({ bias: biasByDefault, init: torchInit }),
  },
  hash: {
    title: "Hash",
    about: "Hashes of the token's id choose; nothing is learned.",
    make: hashRouter,
    options: z.strictObject({}),
  },
  stable: {
    title: "StableMoE",
    about: "Learns where tokens go, then freezes that by the token's id.",
    make: stableRouter,
    options: z.strictObject({
      switchAt: width("Step at which routing freezes; default 6000."),
      dim: width("Width of the token embeddings of the frozen router; default 50."),
      distill: z.number().nonnegative().optional().describe("Weight of the distillation loss; default 0.3."),
      init,
    }),
    width: { option: "dim", multiple: 1 },
  },
  "loss-free": {
    title: "Loss-free balance",
    about: "A bias that follows the load takes part in the choice, not in the weight.",
    make: lossFreeRouter,
    options: z.strictObject({
      rate: positive("How far the bias moves in a step; default 0.001."),
      scores: z.enum(["sigmoid", "softmax"]).optional().describe("What weighs the chosen experts; default sigmoid."),
      init,
    }),
  },
  sigmoid: {
    title: "Sigmoid",
    about: "Experts do not compete: each has a sigmoid of its own, and the largest are taken.",
    make: sigmoidRouter,
    options: z.strictObject({
      renormalize: flag("Let a token's weights sum to one; default for more than one expert a token."),
      bias,
      init,
    }),
  },
  remoe: {
    title: "ReMoE (ReLU)",
    about: "ReLU gates open any number of experts; an adaptive penalty keeps them few.",
    make: remoeRouter,
    options: z.strictObject({
      coefficient: positive("Where the penalty starts; default 1e-8."),
      factor: z.number().gt(1).optional().describe("What it grows and shrinks by; default 1.2."),
      init,
    }),
  },
  omni: {
    title: "Omni",
    about: "One linear gate for all layers.",
    make: omniRouter,
    options: z.strictObject({ bias, init }),
  },
  "expert-choice": {
    title: "Expert choice",
    about: "Experts choose tokens. It sees tokens to come, so its loss is not that of a model that writes.",
    make: expertChoiceRouter,
    options: z.strictObject({ capacity: positive("Tokens an expert takes, in even shares; default 1."), bias, init }),
  },
  flow: {
    title: "Flow",
    about: "A mixture of small normalizing flows between the token and the gate.",
    make: flowRouter,
    options: z.strictObject({
      dim: width("Width of the flows; default 32."),
      flows: width("How many there are; default 4."),
      init,
    }),
    width: { option: "dim", multiple: 2 },
  },
  dense: {
    title: "Dense",
    about: "No routing: every token goes to every expert, for comparison.",
    make: () => denseRouter(),
    options: z.strictObject({
      size: z.enum(["active", "total"]).optional().describe("As many experts as a token meets (default), or all."),
    }),
    layers: (moe, { size }) => (size === "total" ? { ...moe, topK: moe.experts } : { ...moe, experts: moe.topK }),
  },
};

/** Routers whose scores do not depend on what they are given, so that nothing can stand in front of them. */
const BLIND = ["hash", "dense"];

/** The names that lists show; `recurrent+NAME` is known for every other name too. */
export const routerNames: string[] = Object.keys(routers);

/** A router by name, or `recurrent+NAME`: the recurrent stage in front of one. Undefined for a name that means none. */
export function routerNamed(name: string): NamedRouter | undefined {
  if (Object.hasOwn(routers, name)) return routers[name];
  const head = name.startsWith("recurrent+") ? name.slice("recurrent+".length) : "";
  return Object.hasOwn(routers, head) && !BLIND.includes(head) ? recurrentWith(head) : undefined;
}

/** The recurrent router with another in place of its gate; that one's options are `head`. */
function recurrentWith(head: string): NamedRouter {
  return {
    get title() {
      return `Recurrent + ${routers[head]!.title}`;
    },
    about: "The recurrent stage in front of another router, which scores the state in place of the token.",
    make: ({ head: options, ...own }) => recurrentRouter({ ...own, head: routers[head]!.make(options ?? {}) }),
    get options() {
      return z.strictObject({ ...recurrent, head: routers[head]!.options.optional() });
    },
    width: { option: "dim", multiple: 1 },
  };
}
