import { add, compile, f32, gradients, leaves, mul, sum, type Tensor } from "@webmoe/tensor";
import type { Gpu } from "@webmoe/webgpu";
import type { ProbedBatch, ProbedModel } from "./probed-model";

/** Norms of gradients of parts of the training loss. */
export interface GradientNorms {
  /** Of everything that training minimises. */
  whole: number;
  /** Of the cross entropy alone. */
  languageModel: number;
  /** Of the balance loss alone, with its weight. */
  balance: number;
}

/**
 * Gradients with respect to what the router learns: everything in its `shared` and `layers`, together, of each layer's own, and
 * of what layers share.
 */
export interface RouterGradients {
  router: GradientNorms;
  layers: GradientNorms[];
  shared?: GradientNorms;
}

/** Splits the gradient of a router by the part of the loss that it comes from. */
export interface GradientSplitter {
  split(batch: ProbedBatch): Promise<RouterGradients>;
  close(): void;
}

/**
 * Compile the program for batches of some sequences. One program serves all parts: the weights of cross entropy, balance loss
 * and whole loss are inputs, of which all but one are 0. Undefined for a router that learns nothing.
 */
export async function openGradientSplitter(
  gpu: Gpu,
  { model, parameters, buffers }: ProbedModel,
  sequences: number,
): Promise<GradientSplitter | undefined> {
  const paths = leaves(parameters.router).map(([path]) => path);
  if (paths.length === 0) return undefined;
  const inputs = { ...model.inputs(sequences), languageModel: f32(), balance: f32(), whole: f32() };
  const options = { label: "router gradients", state: { parameters, buffers }, inputs };
  const program = await compile(gpu, options, (handles, { languageModel, balance, whole, ...batch }) => {
    const output = model.loss(handles.parameters, batch as never, { buffers: handles.buffers, training: false });
    const parts = [mul(output.loss, languageModel!), mul(output.balanceLoss, balance!), mul(output.total, whole!)];
    const slopes = gradients(add(...parts), handles.parameters.router);
    return { squares: leaves<Tensor>(slopes).map(([, slope]) => sum(mul(slope, slope))) };
  });
  /** The square of the gradient's norm for each parameter of the router. */
  const squares = async (batch: ProbedBatch, part: Partial<GradientNorms>) => {
    const ticket = await program.run({ ...batch, languageModel: 0, balance: 0, whole: 0, ...part } as never);
    return (await ticket.outputs).squares.map((square) => square[0]!);
  };
  return {
    async split(batch) {
      const whole = await squares(batch, { whole: 1 });
      const languageModel = await squares(batch, { languageModel: 1 });
      const balance = await squares(batch, { balance: model.config.moe.balanceLoss });
      const norms = (prefix: string): GradientNorms => {
        const norm = (all: number[]) =>
          Math.sqrt(all.reduce((sum, square, index) => sum + (paths[index]!.startsWith(prefix) ? square : 0), 0));
        return { whole: norm(whole), languageModel: norm(languageModel), balance: norm(balance) };
      };
      return {
        router: norms(""),
        layers: parameters.router.layers.map((_, index) => norms(`layers.${index}.`)),
        ...(paths.some((path) => path.startsWith("shared.")) && { shared: norms("shared.") }),
      };
    },
    close: () => program.close(),
  };
}
