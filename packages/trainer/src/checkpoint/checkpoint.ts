import { fileTensors, type Model } from "@webmoe/model";
import { type DeviceTensor, type Dtype, leaves, readTensor, sizeOf, writeTensor } from "@webmoe/tensor";
import type { Session } from "../session";
import type { TrainSettings } from "../settings";
import type { Checkpoint, RunStore, TensorEntry, TensorReader } from "./run-store";
import { readValues } from "./tensor-values";

/** What names of averaged weights begin with. */
const AVERAGED = "averaged.";

/** Load the averaged weights of a checkpoint as parameters. */
export async function restoreAveraged(model: Model, parameters: unknown, checkpoint: Checkpoint): Promise<void> {
  if (!checkpoint.optimizer.names().some((name) => name.startsWith(AVERAGED))) {
    throw new Error("checkpoint: has no averaged weights: train with --set ema.decay=0.999");
  }
  await restoreParameters(model, parameters, checkpoint.optimizer, AVERAGED);
}

/** Write everything that outlives a step; resolves with where it is. */
export async function save(
  store: RunStore,
  session: Session,
  model: Model,
  { step, settings, validationLoss }: { step: number; settings: TrainSettings; validationLoss?: number },
): Promise<string> {
  const { parameters, optimizer, buffers, averaged } = session.state;
  return store.saveCheckpoint({
    step,
    keep: settings.checkpoint.keep,
    state: {
      step,
      seed: settings.seed,
      router: model.router.name,
      ...(validationLoss !== undefined && { validationLoss }),
    },
    model: [...parameterEntries(model, parameters, ""), ...plainEntries(buffers, "model.router.buffers.")],
    optimizer: [
      ...parameterEntries(model, optimizer.first, "first."),
      ...parameterEntries(model, optimizer.second, "second."),
      ...plainEntries(counters(optimizer), ""),
      ...parameterEntries(model, averaged, AVERAGED),
    ],
  });
}

/** Load a checkpoint into a session of the same model. A tensor that is missing or of another shape is an error. */
export async function restore(session: Session, model: Model, checkpoint: Checkpoint): Promise<void> {
  const { parameters, optimizer, buffers, averaged } = session.state;
  await restoreParameters(model, parameters, checkpoint.model, "");
  await restorePlain(buffers, checkpoint.model, "model.router.buffers.");
  await restoreParameters(model, optimizer.first, checkpoint.optimizer, "first.");
  await restoreParameters(model, optimizer.second, checkpoint.optimizer, "second.");
  await restorePlain(counters(optimizer), checkpoint.optimizer, "");
  if (averaged) await restoreParameters(model, averaged, checkpoint.optimizer, AVERAGED);
}

/** What the optimizer keeps besides its moments. */
function counters({ applied, lossScale }: Session["state"]["optimizer"]) {
  return { applied, lossScale };
}

/** Load the parameters alone, for evaluation and sampling. */
export async function restoreParameters(
  model: Model,
  parameters: unknown,
  reader: TensorReader,
  prefix = "",
): Promise<void> {
  const whole = new Map<DeviceTensor, Float32Array>();
  const wanted = fileTensors<DeviceTensor>(model.config, parameters);
  checkNames(
    wanted.map(({ name }) => prefix + name),
    reader,
    prefix,
  );
  for (const { name, shape, leaf, start } of wanted) {
    const values = whole.get(leaf) ?? new Float32Array(sizeOf(leaf.shape));
    whole.set(leaf, values);
    values.set(await readValues(reader, prefix + name, shape), start);
  }
  for (const [leaf, values] of whole) writeTensor(leaf, values);
}

/** A tree of state that is not parameters, under its own paths. */
export async function restorePlain(tree: unknown, reader: TensorReader, prefix: string): Promise<void> {
  for (const [path, leaf] of leaves<DeviceTensor<Dtype>>(tree)) {
    const values = await readValues(reader, prefix + path, leaf.shape);
    writeTensor(leaf, leaf.dtype === "u32" ? new Uint32Array(values.buffer) : values);
  }
}

function* parameterEntries(model: Model, parameters: unknown, prefix: string): Generator<TensorEntry> {
  // Many tensors of a file are parts of one parameter, in order: read each parameter once.
  let held: { leaf: DeviceTensor; values: Promise<Float32Array> } | undefined;
  for (const { name, shape, leaf, start } of fileTensors<DeviceTensor>(model.config, parameters)) {
    yield {
      name: prefix + name,
      dtype: "F32",
      shape,
      async data() {
        if (held?.leaf !== leaf) held = { leaf, values: readTensor(leaf) };
        const values = await held.values;
        return new Uint8Array(values.buffer, values.byteOffset + start * 4, sizeOf(shape) * 4);
      },
    };
  }
}

function* plainEntries(tree: unknown, prefix: string): Generator<TensorEntry> {
  for (const [path, leaf] of leaves<DeviceTensor<Dtype>>(tree)) {
    yield {
      name: prefix + path,
      dtype: leaf.dtype === "u32" ? "U32" : "F32",
      shape: leaf.shape,
      data: async () => new Uint8Array((await readTensor(leaf)).buffer),
    };
  }
}

/** A checkpoint with more parameters than the model is of another model too. */
function checkNames(names: string[], reader: TensorReader, prefix: string): void {
  const known = new Set(names);
  const surplus = reader
    .names()
    .find((name) => name.startsWith(prefix) && !known.has(name) && isParameter(name, prefix));
  if (surplus)
    throw new Error(`checkpoint: the model has no tensor "${surplus}": the checkpoint is of another model or router`);
}

function isParameter(name: string, prefix: string): boolean {
  return name.slice(prefix.length).match(/^(model|lm_head)\./) !== null && !name.includes("model.router.buffers.");
}
