import { evenTopK, type Selection, type Selector, softmaxTopK } from "@webmoe/router";
import { expertLoad, LEAF, mul, type Tensor, uniformNoise, withinCapacity } from "@webmoe/tensor";
import { expertCapacityOf } from "./config";
import type { MoeInput } from "./moe-input";

/** Which assignments the experts get, and what was asked for. */
export interface Routing {
  /** [T, E] */
  logits: Tensor;
  carry: unknown;
  losses: Record<string, Tensor>;
  /** With dropped assignments left out. */
  selection: Selection;
  /** Assignments each expert was chosen for, f32 [E], where some are dropped; else the experts know. */
  chosen?: Tensor;
}

/** Let the router score and the selector choose, and drop what is past the experts' capacity. */
export function route(input: MoeInput): Routing {
  const { x, config, router, routerParameters, index, carry, tokens, mask, training } = input;
  const { shared, layer, buffers } = routerParameters;
  const seen = training && config.jitter ? jittered(input, config.jitter) : x;
  const scores = router.score({ x: seen, shared, layer, buffers, index, carry, tokens, mask, training });
  checkScores(input, scores);
  const { logits, losses = {} } = scores;
  const { topK, experts, renormalize, drop = "last" } = config;
  const select: Selector = config.even ? evenTopK({ renormalize }) : (router.select ?? softmaxTopK({ renormalize }));
  const selection = select({ logits, mask, topK, tokens, index, buffers, training });
  const capacity = training ? expertCapacityOf(config, x.shape[0]!) : undefined;
  if (capacity === undefined) return { logits, carry: scores.carry, losses, selection };
  const expert = withinCapacity(selection.expert, selection.weight, { capacity, drop });
  const atMost = Math.min(selection.atMost ?? expert.size, experts * capacity);
  return {
    logits,
    carry: scores.carry,
    losses,
    selection: { ...selection, expert, atMost },
    chosen: expertLoad(selection.expert, experts),
  };
}

function jittered({ x, noise }: MoeInput, jitter: number): Tensor {
  if (!noise) throw new Error("moe.jitter: needs a key of noise for every layer of a training batch, got none");
  return mul(x, uniformNoise(noise, x.shape, 1 - jitter, 1 + jitter));
}

/** Throw unless scores and carry have the shapes that every layer must give. */
function checkScores(
  { x, config, router, index, carry }: MoeInput,
  scores: { logits?: Tensor; carry?: unknown },
): void {
  const who = `router "${router.name}" at MoE layer ${index}`;
  const expected = [x.shape[0]!, config.experts];
  if (scores.logits?.shape.join() !== expected.join()) {
    throw new Error(
      `${who}: score needs to return logits [${expected.join(", ")}] (tokens, experts), got ${shown(scores.logits)}`,
    );
  }
  const before = new Map(tensorsOf(carry));
  for (const [path, { shape }] of tensorsOf(scores.carry)) {
    const last = before.get(path);
    if (last && last.shape.join() !== shape.join()) {
      const name = path ? ` "${path}"` : "";
      throw new Error(
        `${who}: the carry${name} needs the shape it has at every layer, got [${shape.join(", ")}] after [${last.shape.join(", ")}]`,
      );
    }
  }
}

/** The tensors of a carry with their paths; whatever else it holds is the router's business. */
function tensorsOf(carry: unknown, path = ""): [path: string, tensor: Tensor][] {
  if (typeof carry !== "object" || carry === null) return [];
  if (LEAF in carry) return [[path, carry as Tensor]];
  return Object.entries(carry).flatMap(([name, part]) => tensorsOf(part, path ? `${path}.${name}` : name));
}

function shown(logits: Tensor | undefined): string {
  return logits?.shape ? `[${logits.shape.join(", ")}]` : String(logits);
}
