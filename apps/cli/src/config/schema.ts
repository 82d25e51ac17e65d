import { TOKENIZERS } from "@webmoe/data/node";
import { z } from "zod";

const count = z.number().int().positive();
const countOrZero = z.number().int().nonnegative();
const rate = z.number().nonnegative();

/** Every setting of a run. The keys of `--set`, dotted, are those of this schema. */
export const configSchema = z.strictObject({
  preset: z.string().describe("Preset that the other values started from."),
  model: z.strictObject({
    vocab: count.describe("Number of different tokens; default the tokenizer's."),
    dim: count.describe("Width of the residual stream."),
    layers: count.describe("Transformer blocks."),
    heads: count.describe("Attention heads; divides model.dim."),
    context: count.describe("Tokens of a sequence."),
    dropout: z
      .number()
      .min(0)
      .lt(1)
      .optional()
      .describe("Share of what attention and experts bring to the stream that is zeroed in training; default 0."),
    attentionDropout: z
      .number()
      .min(0)
      .lt(1)
      .optional()
      .describe("Share of attention's weights that is zeroed in training; slower on GPUs; default 0."),
  }),
  moe: z.strictObject({
    experts: count.describe("Experts of a layer."),
    topK: count.describe("Experts each token goes to."),
    hidden: count.describe("Inner width of an expert."),
    balanceLoss: rate.describe("Weight of the Switch balance loss."),
    zLoss: rate.describe("Weight of the router z-loss."),
    renormalize: z.boolean().optional().describe("Let a token's weights sum to one; default for topK above 1."),
    activation: z
      .enum(["swiglu", "geglu", "reglu", "gelu", "relu"])
      .optional()
      .describe("What experts are: swiglu (default), geglu, reglu, or with two matrices gelu, relu."),
    sharedExperts: countOrZero.optional().describe("Experts that every token goes to besides; default 0."),
    capacity: z
      .number()
      .positive("needs more than 0, which would drop every token")
      .optional()
      .describe("Assignments an expert takes of a training batch, in even shares; default no limit."),
    drop: z
      .enum(["last", "lowest"])
      .optional()
      .describe("What a full expert drops: the last tokens (default) or the lowest weights."),
    jitter: z.number().min(0).lt(1).optional().describe("Noise on the router's input while training; default 0."),
    dropout: z
      .number()
      .min(0)
      .lt(1)
      .optional()
      .describe("Share of the hidden units of experts and dense layers that is zeroed in training; default 0."),
    even: z.boolean().optional().describe("For benchmarks: experts in turn, whatever the scores."),
    denseLayers: z.array(countOrZero).optional().describe("Layers (from 0) with a dense feed-forward layer."),
  }),
  router: z.looseObject({
    name: z.string().describe("Name of a router, or the path of a file that exports one."),
  }),
  optimizer: z.strictObject({
    name: z
      .enum(["adamw", "muon", "sgd"])
      .default("adamw")
      .describe("adamw; muon for the matrices of blocks, with AdamW for the rest; or sgd with momentum."),
    lr: rate.describe("Learning rate at its peak."),
    matrixLr: rate.default(0.02).describe("muon: learning rate of its matrices at its peak."),
    momentum: z.number().min(0).lt(1).default(0.95).describe("muon and sgd: how much of the velocity stays in a step."),
    beta1: z.number().min(0).lt(1).describe("AdamW: how long the first moment remembers."),
    beta2: z.number().min(0).lt(1).describe("AdamW: how long the second moment remembers."),
    eps: z.number().positive().describe("AdamW: added to the root of the second moment."),
    weightDecay: rate.describe("Decoupled weight decay."),
    decay: z.enum(["matrices", "all"]).describe("Which parameters decay."),
    clip: rate.describe("Largest global norm of the gradients; 0 for no clipping."),
  }),
  batch: z.strictObject({
    size: count.describe("Sequences of a micro-batch."),
    accumulate: count.describe("Micro-batches of a step."),
  }),
  schedule: z.strictObject({
    name: z
      .enum(["constant", "cosine", "linear", "wsd"])
      .describe(
        "Course of the learning rate after the warm-up; wsd stays, then falls linearly (warm-up, stable, decay).",
      ),
    warmup: countOrZero.describe("Steps until the learning rate is at its peak."),
    decay: z.number().gt(0).max(1).default(0.2).describe("wsd: share of the steps in which it falls."),
    minLr: z.number().min(0).max(1).describe("Where it ends, as a share of optimizer.lr."),
  }),
  ema: z
    .strictObject({
      decay: z
        .number()
        .min(0)
        .lt(1)
        .describe("Share that a running average of the weights keeps in a step; 0 for none."),
    })
    .default({ decay: 0 }),
  memory: z
    .strictObject({
      recompute: z
        .boolean()
        .describe(
          "Compute what is inside a block again in the backward pass: less memory, the same numbers, a third more work.",
        ),
      limit: z
        .number()
        .positive()
        .optional()
        .describe(
          "GiB on the device that a run may take; default no limit, on a software adapter 80 % of the free memory.",
        ),
    })
    .default({ recompute: false }),
  task: z
    .enum(["language", "classify"])
    .default("language")
    .describe("Predict the next token of a text, or find the class of a text."),
  classification: z
    .strictObject({
      text: z.string().optional().describe("Column of the text; default text, or the only one besides the class."),
      label: z.string().optional().describe("Column of the class; default label, or the only one besides the text."),
      validation: z.string().optional().describe("File to validate on; default a tenth of the data, held out."),
      pool: z
        .enum(["last", "mean"])
        .optional()
        .describe("What stands for a text: the mean of its tokens' states (default), or the last one."),
      labels: z.array(z.string()).optional().describe("The classes; default those of the data."),
    })
    .default({}),
  freeze: z
    .array(z.string())
    .optional()
    .describe("Parts that do not learn: embedding, attention, experts, router, router.layers.*.gate ..."),
  start: z
    .strictObject({
      from: z
        .string()
        .optional()
        .describe("Run, or checkpoint of one, whose parameters a new one starts from; see --init-from."),
      upcycle: z.boolean().optional().describe("Start every expert from a dense model's feed-forward layer."),
    })
    .default({}),
  train: z.strictObject({
    steps: count.describe("Optimizer steps."),
    onNan: z
      .enum(["skip", "stop"])
      .optional()
      .describe("A step whose loss is not finite or exploded: skip it (default; ten in a row stop the run), or stop."),
  }),
  validation: z.strictObject({
    every: countOrZero.describe("Steps between validations; 0 for one at the end."),
    batches: count.describe("Batches of the fixed validation set."),
  }),
  checkpoint: z.strictObject({
    every: countOrZero.describe("Steps between checkpoints; 0 for one at the end."),
    minutes: rate.optional().describe("Minutes after which there is a checkpoint in any case; 0 for never."),
    keep: count.describe("Checkpoints that stay, besides the one with the best validation."),
  }),
  log: z.strictObject({
    every: count.describe("Steps between printed lines where there is no terminal."),
    tensorboard: z
      .boolean()
      .default(false)
      .describe("Write the run's figures for TensorBoard too, into the run's folder."),
  }),
  sample: z.strictObject({
    every: countOrZero.describe("Steps between samples of text; 0 for one at the end."),
    tokens: countOrZero.describe("Length of a sample."),
  }),
  data: z
    .string()
    .describe("Name of a corpus, path of a file, a folder or a pattern, or hf:owner/name for a data set of the hub."),
  documents: z.strictObject({
    column: z.string().optional().describe("Column of JSON lines, CSV and parquet with the text; default text."),
    split: z.string().optional().describe("Split of a data set of the hub; default train."),
    separator: z.string().optional().describe("Text after each document; default a line's end after rows."),
    pack: z
      .boolean()
      .optional()
      .describe("Cut sequences from the running text (default), or with false one document each, padded."),
  }),
  tokenizer: z.strictObject({
    name: z.enum(TOKENIZERS).describe("bytes, characters, gpt2, bpe (trained on the corpus), or file."),
    vocab: z.number().int().min(256).optional().describe("Tokens of a bpe; default 4096."),
    file: z.string().optional().describe("Path of a Hugging Face tokenizer.json, for the name file."),
  }),
  adapter: z.string().optional().describe("hardware, software, or part of an adapter's name."),
  precision: z
    .enum(["f32", "mixed"])
    .describe("f32, or mixed: f16 operands of matrix products and attention where the GPU has matrix units."),
  seed: countOrZero.describe("Same seed, same adapter: the same bits."),
});

export type Config = z.infer<typeof configSchema>;
