import { moeLayers } from "@webmoe/model";
import {
  addInPlace,
  allocate,
  balance,
  compile,
  constant,
  copyInto,
  f32,
  leaves,
  release,
  reshape,
  scale,
  spec,
  type Tensor,
  type TensorsOf,
} from "@webmoe/tensor";
import type { SessionState } from "../session-state";
import { NO_ROUTING, type StepPrograms, type StepSubject } from "./step-programs";
import { stepValues } from "./step-values";

/**
 * A training step of several micro-batches: the program of the first stores its gradients, that of the others adds theirs, and
 * the last one updates. A step's balance is that of all its micro-batches (Qiu et al. 2025, arXiv 2501.11873): each sees the
 * load so far, and what is reported is E * sum_e f_e p_e of the whole step's load and probabilities.
 */
export async function accumulatedStep(subject: StepSubject): Promise<StepPrograms> {
  const { gpu, model, settings, state, learned, parts, routing } = subject;
  const { inputs, noise, tokens } = parts;
  const { accumulate } = settings.batch;
  const perExpert = moeLayers(model.config).map(() => spec([model.config.moe.experts]));
  const sums = {
    gradients: (await allocate(gpu, learned, "accumulated gradients")) as SessionState["parameters"],
    loss: await allocate(gpu, spec([]), "accumulated loss"),
    load: await allocate(gpu, perExpert, "expert load"),
    probabilities: await allocate(gpu, perExpert, "expert probabilities"),
  };
  const all = { ...state, sums };
  const { precision } = settings;
  const microBatch = (label: string, put: (target: Tensor, x: Tensor) => void) =>
    compile(gpu, { label, state: all, inputs: { ...inputs, ...noise.inputs }, precision }, (handles, batch) => {
      const { sums } = handles;
      const before = put === addInPlace ? sums.load : undefined;
      const { total, loss, load, dropped, layers } = parts.forward(handles, batch, true, before);
      const grads = new Map(leaves<Tensor>(parts.differentiate(handles, scale(total, 1 / accumulate))));
      for (const [path, target] of leaves<Tensor>(sums.gradients)) put(target, grads.get(path)!);
      put(sums.loss, scale(loss, 1 / accumulate));
      for (const [layer, target] of sums.load.entries()) put(target, load[layer]!);
      if (!routing) return { loss, ...NO_ROUTING };
      for (const [layer, target] of sums.probabilities.entries()) put(target, layers[layer]!.probabilities);
      return { loss, load, dropped, entropy: layers.map((layer) => layer.entropy) };
    });
  const applying = (handles: TensorsOf<typeof all>, { lr }: { lr: Tensor }) => {
    const { gradients, loss, load, probabilities } = handles.sums;
    const updated = parts.update(handles, gradients, { lr, loss });
    parts.applyRouter(handles, load);
    if (!routing) return { ...updated, balance: [] };
    const count = constant(lr.trace, [], tokens);
    const losses = load.map(
      (counts, layer) => balance(reshape(probabilities[layer]!, [1, counts.size]), counts, count).loss,
    );
    return { ...updated, balance: losses };
  };
  const [first, further, apply] = await Promise.all([
    microBatch("first micro-batch", copyInto),
    microBatch("further micro-batch", addInPlace),
    compile(gpu, { label: "apply", state: all, inputs: { lr: f32() } }, applying),
  ]);
  return {
    stats: [first.stats, further.stats, apply.stats],
    flops: first.stats.flops + (accumulate - 1) * further.stats.flops + apply.stats.flops,
    sums,
    close() {
      for (const program of [first, further, apply]) program.close();
      release(sums);
    },
    async profile(batches, lr) {
      const times = [];
      for (const [index, batch] of batches.entries()) {
        times.push(...(await (index === 0 ? first : further).profile({ ...batch, ...noise.keys(0, index) })));
      }
      return [...times, ...(await apply.profile({ lr }))];
    },
    async step(batches, lr, step) {
      const tickets = [];
      for (const [micro, batch] of batches.entries()) {
        tickets.push(await (micro === 0 ? first : further).run({ ...batch, ...noise.keys(step, micro) }));
      }
      const applied = await apply.run({ lr });
      const values = Promise.all([applied.outputs, ...tickets.map((ticket) => ticket.outputs)]).then(
        ([updated, ...of]) => stepValues(of, updated),
      );
      values.catch(() => {});
      return { values };
    },
  };
}
