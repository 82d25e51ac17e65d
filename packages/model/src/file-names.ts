// How parameters are called in safetensors files: the names of Qwen's MoE models, [out, in] matrices, one tensor per expert
// and projection. Routers lie under mlp.gate of their layer, what they share under model.router.

import { type Leaf, leaves, type Shape, sizeOf } from "@webmoe/tensor";
import { type ModelConfig, moeLayers } from "./config";

/** One tensor of a file: a range of a parameter. */
export interface FileTensor<L> {
  /** Its name in files. */
  name: string;
  /** Its shape in files, which may be a part of the parameter's. */
  shape: Shape;
  /** The parameter it is part of, and where it begins there, in elements. */
  leaf: L;
  /** Where it begins in the values of the parameter, in elements. */
  start: number;
}

const BLOCK: Record<string, string> = {
  norm1: "input_layernorm.weight",
  norm2: "post_attention_layernorm.weight",
  "attention.output": "self_attn.o_proj.weight",
  "sharedExperts.up": "mlp.shared_expert.up_proj.weight",
  "sharedExperts.down": "mlp.shared_expert.down_proj.weight",
  "dense.gate": "mlp.gate_proj.weight",
  "dense.up": "mlp.up_proj.weight",
  "dense.down": "mlp.down_proj.weight",
};

/** Projections of an expert, in the order of memory. */
const EXPERT: Record<string, string[]> = {
  "experts.gateUp": ["gate", "up"],
  "experts.up": ["up"],
  "experts.down": ["down"],
};

const TOP: Record<string, string> = {
  embedding: "model.embed_tokens.weight",
  norm: "model.norm.weight",
  head: "lm_head.weight",
  score: "score.weight",
};

/** The tensors of a file for a tree of parameters (or of anything shaped like them). */
export function fileTensors<L extends Leaf & { shape: Shape }>(
  config: ModelConfig,
  parameters: unknown,
): FileTensor<L>[] {
  const layers = moeLayers(config);
  return leaves<L>(parameters).flatMap(([path, leaf]) => {
    if (TOP[path]) return [{ name: TOP[path], shape: leaf.shape, leaf, start: 0 }];
    const [kind, index, ...rest] = path.split(".");
    const below = rest.join(".");
    if (kind === "blocks") return blockTensors(`model.layers.${index}`, below, leaf);
    if (path.startsWith("router.layers.")) {
      const [, , layer, ...name] = path.split(".");
      return [
        { name: `model.layers.${layers[Number(layer)]}.mlp.gate.${name.join(".")}`, shape: leaf.shape, leaf, start: 0 },
      ];
    }
    if (path.startsWith("router.shared.")) {
      return [{ name: `model.router.${path.slice("router.shared.".length)}`, shape: leaf.shape, leaf, start: 0 }];
    }
    throw new Error(`fileTensors: knows no file name for parameter "${path}"`);
  });
}

function blockTensors<L extends Leaf & { shape: Shape }>(layer: string, path: string, leaf: L): FileTensor<L>[] {
  if (BLOCK[path]) return [{ name: `${layer}.${BLOCK[path]}`, shape: leaf.shape, leaf, start: 0 }];
  if (path === "attention.qkv")
    return parts(
      leaf,
      ["q", "k", "v"].map((p) => `${layer}.self_attn.${p}_proj.weight`),
      (s) => [s[0]! / 3, s[1]!],
    );
  if (path === "sharedExperts.gateUp")
    return parts(
      leaf,
      ["gate", "up"].map((p) => `${layer}.mlp.shared_expert.${p}_proj.weight`),
      (shape) => shape.slice(-2),
    );
  const projections = EXPERT[path];
  if (!projections) throw new Error(`fileTensors: knows no file name for parameter "${layer}.${path}"`);
  const names = Array.from({ length: leaf.shape[0]! }, (_, expert) =>
    projections.map((projection) => `${layer}.mlp.experts.${expert}.${projection}_proj.weight`),
  );
  return parts(leaf, names.flat(), (shape) => shape.slice(-2));
}

/** A parameter cut into equal tensors along its first axis. */
function parts<L extends Leaf & { shape: Shape }>(
  leaf: L,
  names: string[],
  part: (shape: Shape) => Shape,
): FileTensor<L>[] {
  const shape = part(leaf.shape);
  return names.map((name, index) => ({ name, shape, leaf, start: index * sizeOf(shape) }));
}
