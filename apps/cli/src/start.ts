import { type Model, moeLayers } from "@webmoe/model";
import { type Session, startFrom } from "@webmoe/trainer";
import type { Config } from "./config/schema";
import { UsageError } from "./errors";
import { openSavedRun, type SavedRun } from "./run-model";

/** The flags of a run that starts from another. */
export interface StartFlags {
  initFrom?: string;
  upcycle?: boolean;
}

/** The run that another starts from; undefined where it starts afresh. */
export async function openStart({ initFrom, upcycle }: StartFlags): Promise<SavedRun | undefined> {
  if (initFrom) return openSavedRun(initFrom, "--init-from");
  if (upcycle) throw new UsageError("--upcycle: needs --init-from with the run of a dense model");
  return undefined;
}

/** What a configuration takes from the run that it starts from: the model, its router and its tokenizer. */
export function startConfig({ config, path }: SavedRun, { upcycle = false }: StartFlags): Partial<Config> {
  const { preset, model, moe, router, tokenizer } = config;
  return {
    preset,
    model,
    moe: upcycle ? sparse(config) : moe,
    router,
    tokenizer,
    start: { from: path, ...(upcycle && { upcycle }) },
  };
}

/** The MoE layers of experts that are as wide as the dense layers of a model without experts. */
function sparse({ model, moe }: Config): Config["moe"] {
  if (moeLayers({ ...model, moe }).length > 0) {
    throw new UsageError("--upcycle: needs the run of a dense model, and this one has experts already");
  }
  const { sharedExperts = 0, denseLayers: _, ...rest } = moe;
  return { ...rest, hidden: (moe.topK + sharedExperts) * moe.hidden };
}

/** Gives a session the values that the configuration says it starts from; `say` hears from where, and what was not there. */
export function starter(
  { start }: Config,
  model: Model,
  say: (line: string) => void,
): ((session: Session) => Promise<void>) | undefined {
  const { from, upcycle } = start;
  if (from === undefined) return undefined;
  return async (session) => {
    const { checkpoint, folder } = await openSavedRun(from, "start.from");
    const fresh = await startFrom(model, session.state.parameters, checkpoint.model, { upcycle });
    say(`step ${checkpoint.step} of ${folder.path}${fresh.length > 0 ? `; fresh: ${short(fresh)}` : ""}`);
  };
}

const short = (names: string[]) =>
  [...names.slice(0, 3), ...(names.length > 3 ? [`${names.length - 3} more`] : [])].join(", ");
