import { type Model, moeLayers } from "@webmoe/model";
import type { Selection } from "@webmoe/router";
import { compile, type DeviceTensor, gradients, leaves, map, reshape, sum, type Tensor } from "@webmoe/tensor";
import type { Expression } from "@webmoe/webgpu";
import type { Session } from "../session";
import type { TrainSettings } from "../settings";
import type { HostBatch } from "./step-programs";

/**
 * Where values that are no finite numbers begin, in the words of an error: the first parameter that has some, else the first
 * layer on the way forward, else the first parameter on the way back. Undefined where everything is finite.
 */
export async function findOrigin(
  session: Session,
  model: Model,
  settings: TrainSettings,
  batches: HostBatch[],
): Promise<string | undefined> {
  const blocks = moeLayers(model.config);
  const program = await compile(
    session.gpu,
    {
      label: "origin",
      state: session.state,
      inputs: model.inputs(settings.batch.size),
      precision: settings.precision,
      slots: 1,
    },
    ({ parameters, buffers }, batch) => {
      const { padded } = settings.batch;
      const { total, loss, layers } = model.loss(parameters, batch, { padded, buffers, training: false });
      const magnitudes = (tree: unknown) => leaves<Tensor>(tree).map(([, x]) => magnitude(x));
      return {
        parameters: magnitudes(parameters),
        layers: layers.map(({ x, logits, y, selection }) => ({
          x: magnitude(x),
          logits: magnitude(map("ruledIn", [logits], (score) => isRuledOut(score).select(0, score))),
          short: tokensLeftShort(logits, selection, model.config.moe.topK),
          y: magnitude(y),
        })),
        loss,
        gradients: magnitudes(gradients(total, parameters)),
      };
    },
  );
  const names = leaves<DeviceTensor>(session.state.parameters).map(([path]) => path);
  const wrong = (value: ArrayLike<number> | undefined) => value !== undefined && !Number.isFinite(value[0]);
  const { experts } = model.config.moe;
  const shape = `[${settings.batch.size * model.config.context}, ${experts}]`;
  const scores = `the scores ${shape} (tokens, experts) of "${model.router.name}"`;
  try {
    for (const batch of batches) {
      const found = await (await program.run(batch)).outputs;
      const parameter = names.find((_, index) => wrong(found.parameters[index]));
      if (parameter) return `the parameter ${parameter}`;
      for (const [index, { x, logits, short, y }] of found.layers.entries()) {
        if (wrong(x)) return `layer ${blocks[index]}, before its experts`;
        if (wrong(logits)) return `layer ${blocks[index]}, in its router: ${scores}`;
        if (wrong(y) && short[0]! > 0) {
          const { topK } = model.config.moe;
          return `layer ${blocks[index]}, in its router: ${scores} leave fewer than ${topK} experts (moe.topK) to ${short[0]} tokens, and are -Infinity for the rest`;
        }
        if (wrong(y)) return `layer ${blocks[index]}, in its experts`;
      }
      if (wrong(found.loss)) return "the head, after the last layer";
      // The way back ends with the embedding, so what comes last in the tree comes first.
      const gradient = names.findLast((_, index) => wrong(found.gradients[index]));
      if (gradient) return `the gradient of ${gradient}`;
    }
    return undefined;
  } finally {
    program.close();
  }
}

/** sum |x|, which is finite where every value is, unless they are near the end of what f32 holds. */
const magnitude = (x: Tensor) => sum(map("magnitude", [x], (x) => x.abs()));

/** 1 where a score is -inf, by which a router rules an expert out. */
const isRuledOut = (score: Expression) => score.less(-3.4e38);

/** How many tokens, padding left out, have fewer than `topK` experts left. */
function tokensLeftShort(logits: Tensor, { probabilities }: Selection, topK: number): Tensor {
  const [tokens, experts] = logits.shape as [number, number];
  const rows = (x: Tensor) => sum(reshape(x, [tokens, experts]), 1, 2); // [T, 1]
  const left = rows(map("left", [logits], (score) => isRuledOut(score).mul(-1).add(1)));
  // The probabilities of padding are zeros; those of a token with no expert are no numbers.
  const short = map("short", [left, rows(probabilities)], (left, total) =>
    left.less(topK).mul(total.less(0.5).mul(-1).add(1)),
  );
  return sum(short);
}
