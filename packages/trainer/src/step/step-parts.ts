import type { BatchTensors, Model, TrunkParameters } from "@webmoe/model";
import { averageParameters, optimize } from "@webmoe/nn";
import {
  copyInto,
  type DeviceTensor,
  gradients,
  leaves,
  type MapLeaves,
  reshape,
  stack,
  type Tensor,
  type TensorsOf,
} from "@webmoe/tensor";
import { splitFrozen } from "../freeze";
import { optimizerOptions } from "../optimizer-options";
import type { SessionState } from "../session-state";
import type { TrainSettings } from "../settings";
import { explodedLoss } from "./bad-steps";
import { stepNoise } from "./step-noise";

type Parameters = TrunkParameters<DeviceTensor>;
type Handles = TensorsOf<SessionState>;

/** What every program of a session is put together from: each part records its operations into the program that calls it. */
export type StepParts = ReturnType<typeof stepParts>;

/** The parts of a training step: the model's loss, its gradients, and what is done with them. */
export function stepParts(model: Model, settings: TrainSettings) {
  const { size, accumulate } = settings.batch;
  const freeze = settings.freeze ?? [];
  const optimizer = optimizerOptions(settings);
  const inputs = model.inputs(size);
  const noise = stepNoise(model, settings.seed);
  const tokens = accumulate * size * model.config.context;
  /** Of a tree like the parameters, what learns. */
  const learning = <T>(tree: T): T => splitFrozen(tree, freeze).learned;
  return {
    /** What a program of a micro-batch is given: the model's inputs, and keys of random numbers. */
    inputs,
    noise,
    /** Tokens of a whole step, of all its micro-batches. */
    tokens,

    /** The model's loss of a micro-batch. `loadBefore` is the load of the step's earlier ones. */
    forward(handles: Handles, given: BatchTensors, training: boolean, loadBefore?: Tensor[]) {
      const batch = Object.fromEntries(Object.keys(inputs).map((name) => [name, given[name]!]));
      return model.loss(handles.parameters, batch, {
        padded: settings.batch.padded,
        ...(training && noise.of(given)),
        loadBefore,
        buffers: handles.buffers,
        recompute: settings.memory.recompute && training,
        training,
      });
    },

    /** Gradients of everything that learns, in mixed precision those of a scaled loss. */
    differentiate({ parameters, optimizer }: Handles, total: Tensor): MapLeaves<Parameters, Tensor> {
      const seed = optimizer.lossScale && reshape(optimizer.lossScale.scale, total.shape);
      return gradients(total, learning(parameters), { seed });
    },

    /** Clip and apply the gradients, unless the loss exploded or overflowed. */
    update(handles: Handles, grads: MapLeaves<Parameters, Tensor>, { lr, loss }: Record<"lr" | "loss", Tensor>) {
      const options = { ...optimizer, limit: { loss, most: explodedLoss(model) } };
      const { gradNorm } = optimize(learning(handles.parameters), grads, handles.optimizer as never, lr, options);
      if (handles.averaged) averageParameters(handles.averaged, handles.parameters, settings.ema.decay);
      const { scale, skipped } = handles.optimizer.lossScale ?? {};
      return { gradNorm, lossScale: scale, skipped };
    },

    /** Let the router change its buffers, given the load of the whole step. */
    applyRouter(handles: Handles, load: Tensor[]): void {
      if (!model.router.afterStep || !handles.buffers || freeze.includes("router")) return;
      const next = model.router.afterStep({
        ...handles.parameters.router,
        buffers: handles.buffers,
        load: stack(load),
        tokens,
      });
      const values = new Map(leaves<Tensor>(next));
      for (const [path, target] of leaves<Tensor>(handles.buffers)) {
        const value = values.get(path);
        if (value && value !== target) copyInto(target, value);
      }
    },
  };
}
