import type { Tokenizer } from "@webmoe/data";
import { measureModel } from "@webmoe/model";
import color from "picocolors";
import { configText } from "../config/print";
import type { Config } from "../config/schema";
import type { PreparedRun } from "../tasks/prepared-run";
import { titled } from "./flow";
import { shortNumber } from "./format";

/** What a run is about to do, with its whole configuration. */
export function aboutRun(config: Config, { model, tokenizer, about }: PreparedRun): string {
  const { total, active, flopsPerToken } = measureModel(model);
  const { layers, dim, context } = config.model;
  return [
    titled(
      "model",
      `${config.preset}: ${layers} layers, width ${dim}, ${config.moe.experts} experts, top ${config.moe.topK}`,
    ),
    titled(
      "size",
      `${shortNumber(total)} parameters, ${shortNumber(active)} active, ${shortNumber(flopsPerToken)} FLOPs a token`,
    ),
    titled("router", model.router.name),
    titled(
      "data",
      `${about} in ${tokenizerText(tokenizer)}; ${config.batch.size * config.batch.accumulate} x ${context} tokens a step, ${config.train.steps} steps`,
    ),
    color.bold("config"),
    configText(config),
  ].join("\n");
}

const tokenizerText = ({ name, vocab }: Tokenizer) => (name === "bytes" ? name : `${vocab} ${name} tokens`);
