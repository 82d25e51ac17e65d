import type { LanguageModel } from "@webmoe/model";
import { adapterName, type Gpu } from "@webmoe/webgpu";
import type { Config } from "../config/schema";

/** What was trained when it was timed, and on what. */
export interface Subject {
  preset: string;
  router: string;
  precision: Config["precision"];
  adapter: string;
}

/** What a model is called that is timed as `config` says. */
export function subjectOf(gpu: Gpu, model: LanguageModel, { preset, precision }: Config): Subject {
  return { preset, router: model.router.name, precision, adapter: adapterName(gpu.adapter) };
}
