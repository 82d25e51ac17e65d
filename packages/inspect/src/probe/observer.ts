import type { Selection } from "@webmoe/router";
import { compile, constant, map, mean, reshape, sum, type Tensor } from "@webmoe/tensor";
import type { Gpu } from "@webmoe/webgpu";
import type { LayerObservation, Observation } from "../statistics/observation";
import { choicesWithoutState, type RouterState, tensorsOf } from "./ask-again";
import type { ProbedBatch, ProbedModel } from "./probed-model";

/** Runs batches through a model and says what every MoE layer did with them. */
export interface Observer {
  observe(batch: ProbedBatch): Promise<Observation>;
  close(): void;
}

/** Compile the program that observes batches of some sequences: the model as in evaluation, without jitter and capacity. */
export async function openObserver(
  gpu: Gpu,
  { model, parameters, buffers }: ProbedModel,
  sequences: number,
): Promise<Observer> {
  const options = { label: "observe", state: { parameters, buffers }, inputs: model.inputs(sequences) };
  const program = await compile(gpu, options, (handles, batch) => {
    const output = model.loss(handles.parameters, batch, { buffers: handles.buffers, training: false });
    const tokens = reshape(batch.tokens!, [batch.tokens!.size]);
    const mask = constant(tokens.trace, [tokens.size], 1);
    const router = { ...handles.parameters.router, buffers: handles.buffers } as RouterState;
    const zeroed = choicesWithoutState(model, output, router, tokens, mask);
    return {
      loss: output.loss,
      layers: output.layers.map(({ selection, load, carry }, index) => ({
        ...choicesOf(selection),
        load,
        zeroed: zeroed[index] && choicesOf(zeroed[index]),
        stateNorms: Object.fromEntries(tensorsOf(carry).map(([name, tensor]) => [name, meanNorm(tensor)])),
      })),
    };
  });
  return {
    async observe(batch) {
      const { loss, layers } = await (await program.run(batch)).outputs;
      return {
        tokens: batch.tokens!,
        loss: loss[0]!,
        layers: layers.map(({ stateNorms, ...layer }) => ({
          ...(layer as Omit<LayerObservation, "stateNorms">),
          stateNorms: Object.fromEntries(Object.entries(stateNorms).map(([name, norm]) => [name, norm[0]!])),
        })),
      };
    },
    close: () => program.close(),
  };
}

const choicesOf = ({ expert, weight, probabilities }: Selection) => ({ expert, weight, probabilities });

/** The mean over tokens of the Euclidean norm of a row, for x [T, ...]. */
function meanNorm(x: Tensor): Tensor {
  const rows = x.shape[0]!;
  const squares = sum(
    map("square", [reshape(x, [rows, x.size / rows])], (x) => x.mul(x)),
    1,
    2,
  );
  return mean(map("root", [squares], (square) => square.sqrt()));
}
