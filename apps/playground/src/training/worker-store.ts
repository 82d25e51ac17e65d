import { encodeHeader } from "@webmoe/tensor/files";
import type { RunStore, TensorEntry } from "@webmoe/trainer";
import { type Remote, transfer } from "comlink";
import type { Keeper } from "./messages";
import { readCheckpoint } from "./read-checkpoint";

/** A run's metrics and checkpoints as the files of a run folder, handed to the page, which alone may store them. */
export function workerStore(keeper: Remote<Keeper>): RunStore & { flush(): Promise<void> } {
  let lines = "";
  const flush = async () => {
    const waiting = lines;
    lines = "";
    if (waiting) await keeper.appendMetrics(waiting);
  };
  return {
    flush,
    async appendMetrics(record) {
      lines += `${JSON.stringify(record)}\n`;
    },
    async latestCheckpoint() {
      const files = await keeper.latestCheckpoint();
      return files && readCheckpoint(files);
    },
    async saveCheckpoint({ step, keep = Number.POSITIVE_INFINITY, state, model, optimizer }) {
      const [modelFile, optimizerFile] = [await tensorFile(model), await tensorFile(optimizer)];
      const files = { model: await described(modelFile), optimizer: await described(optimizerFile) };
      const text = `${JSON.stringify({ ...state, step, files }, null, 2)}\n`;
      await flush();
      await keeper.saveCheckpoint(
        transfer({ step, keep, model: modelFile, optimizer: optimizerFile, state: text }, [
          modelFile.buffer,
          optimizerFile.buffer,
        ]),
      );
      return `step ${step}`;
    },
  };
}

/** A safetensors file in memory. */
async function tensorFile(tensors: TensorEntry[]): Promise<Uint8Array<ArrayBuffer>> {
  const { header, fileBytes } = encodeHeader(tensors, { format: "pt" });
  const file = new Uint8Array(fileBytes);
  file.set(header);
  let at = header.length;
  for (const { data } of tensors) {
    const bytes = await data();
    file.set(bytes, at);
    at += bytes.length;
  }
  return file;
}

async function described(file: Uint8Array<ArrayBuffer>): Promise<{ bytes: number; sha256: string }> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", file));
  return { bytes: file.length, sha256: Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("") };
}
