// How held-out text is routed: a program beside the training step, over the same parameters.

import type { Batch } from "@webmoe/data";
import type { LanguageModel } from "@webmoe/model";
import { compile, u32 } from "@webmoe/tensor";
import { type Session, type TokenRoute, tokenRoutes } from "@webmoe/trainer";
import { choices, informationShare } from "./information";
import type { RoutingFigures } from "./messages";

/** Tokens that the reader shows, in whole passages. */
const SHOWN = 256;

/** Looks at the routing of one batch, whenever it is asked. */
export interface RoutingProbe {
  look(): Promise<RoutingFigures>;
  close(): void;
}

/** Compile the program that routes a batch; the passage shown is its first sequence. */
export async function openRoutingProbe(session: Session, model: LanguageModel, batch: Batch): Promise<RoutingProbe> {
  const { context, moe } = model.config;
  const sequences = batch.tokens.length / context;
  const shown = Math.min(sequences, Math.ceil(SHOWN / context)) * context;
  const { parameters, buffers } = session.state;
  const program = await compile(
    session.gpu,
    {
      label: "routing",
      state: { parameters, buffers },
      inputs: { tokens: u32(sequences, context), targets: u32(sequences, context) },
    },
    (state, given) =>
      model.loss(state.parameters as never, given, { buffers: state.buffers, training: false }).layers.map((layer) => ({
        expert: layer.selection.expert,
        weight: layer.selection.weight,
      })),
  );
  return {
    async look() {
      const layers = await (await program.run({ tokens: batch.tokens, targets: batch.targets })).outputs;
      const routes = layers.map(({ expert, weight }) => tokenRoutes(expert, weight, batch.tokens.length));
      const first = routes.map((routes) => choices(routes));
      return {
        passage: {
          length: context,
          tokens: [...batch.tokens.subarray(0, shown)],
          routes: routes.map((tokens) => tokens.slice(0, shown)),
        },
        information: first.map((a) => first.map((b) => informationShare(a, b, moe.experts))),
        dead: routes.map((tokens) => unused(tokens, moe.experts)),
      };
    },
    close: () => program.close(),
  };
}

function unused(tokens: TokenRoute[], experts: number): number[] {
  const used = new Set(tokens.flatMap(({ experts }) => experts));
  return Array.from({ length: experts }, (_, expert) => expert).filter((expert) => !used.has(expert));
}
