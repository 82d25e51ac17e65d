import { compile, f32 } from "@webmoe/tensor";
import { type HostBatch, NO_ROUTING, type StepPrograms, type StepSubject } from "./step-programs";
import { stepValues } from "./step-values";

/** A training step as one program: loss, gradients and update of one micro-batch. */
export async function wholeStep({ gpu, state, settings, parts, routing }: StepSubject): Promise<StepPrograms> {
  const { inputs, noise } = parts;
  const program = await compile(
    gpu,
    { label: "step", state, inputs: { ...inputs, ...noise.inputs, lr: f32() }, precision: settings.precision },
    (handles, { lr, ...batch }) => {
      const { total, loss, layers, load, dropped } = parts.forward(handles, batch, true);
      const updated = parts.update(handles, parts.differentiate(handles, total), { lr, loss });
      parts.applyRouter(handles, load);
      if (!routing) return { loss, ...updated, ...NO_ROUTING };
      const [balance, entropy] = [layers.map((layer) => layer.balanceLoss), layers.map((layer) => layer.entropy)];
      return { loss, ...updated, balance, entropy, load, dropped };
    },
  );
  return {
    stats: [program.stats],
    flops: program.stats.flops,
    close: () => program.close(),
    profile: ([batch]: HostBatch[], lr) => program.profile({ ...batch!, ...noise.keys(0, 0), lr }),
    async step([batch]: HostBatch[], lr, step) {
      const ticket = await program.run({ ...batch!, ...noise.keys(step, 0), lr });
      return { values: ticket.outputs.then((o) => stepValues([o], o)) };
    },
  };
}
