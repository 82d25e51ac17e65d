import { type Model, moeLayers } from "@webmoe/model";
import { compile, type DeviceTensor, gradients, leaves, map, sum, type Tensor } from "@webmoe/tensor";
import type { HostBatch, Session } from "./session";
import type { TrainSettings } from "./settings";

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
        layers: layers.map(({ x, logits, y }) => ({ x: magnitude(x), logits: magnitude(logits), y: magnitude(y) })),
        loss,
        gradients: magnitudes(gradients(total, parameters)),
      };
    },
  );
  const names = leaves<DeviceTensor>(session.state.parameters).map(([path]) => path);
  const wrong = (value: ArrayLike<number> | undefined) => value !== undefined && !Number.isFinite(value[0]);
  try {
    for (const batch of batches) {
      const found = await (await program.run(batch)).outputs;
      const parameter = names.find((_, index) => wrong(found.parameters[index]));
      if (parameter) return `the parameter ${parameter}`;
      for (const [index, { x, logits, y }] of found.layers.entries()) {
        if (wrong(x)) return `layer ${blocks[index]}, before its experts`;
        if (wrong(logits)) {
          const { size } = settings.batch;
          const shape = `[${size * model.config.context}, ${model.config.moe.experts}]`;
          return `layer ${blocks[index]}, in its router: the scores ${shape} (tokens, experts) of "${model.router.name}"`;
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
