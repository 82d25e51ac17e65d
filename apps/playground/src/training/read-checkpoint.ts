import { blobTensors, type Checkpoint } from "@webmoe/trainer";
import type { CheckpointFiles } from "./messages";

/** A checkpoint that the trainer reads from files of the page. */
export async function readCheckpoint({ step, state, model, optimizer }: CheckpointFiles): Promise<Checkpoint> {
  return { step, state, model: await blobTensors(model), optimizer: await blobTensors(optimizer) };
}
