import type { Model } from "@webmoe/model";
import { bytesText, type Gpu, OutOfMemoryError, startPipelines } from "@webmoe/webgpu";
import { openSession, type Session } from "../session";
import type { TrainSettings } from "../settings";
import type { MemoryUse } from "./memory-use";
import { planTraining, type TrainingPlan } from "./plan-training";
import { type FittingSettings, settingsThatFit } from "./settings-that-fit";

/** Settings that a refusal offers, where there are as many. */
const OFFERS = 3;

/** Whether a run fits into the memory of a device. */
export interface Fit {
  /** What it takes; undefined where a tensor is larger than the device can bind. */
  memory?: MemoryUse;
  /** What a step computes, and the seconds that planning took; undefined as `memory` is. */
  step?: Pick<TrainingPlan, "flops" | "dispatches" | "seconds">;
  /** Bytes that it may take; infinite where no budget is set. */
  limit: number;
  /** Where it does not fit: why, and settings that do, planned. */
  reason?: string;
  /** Where it does not fit: settings that do, each with what it takes. */
  fitting: FittingSettings[];
}

/** Training that does not fit into memory: several lines list the memory by kind and settings that would fit. */
export class DoesNotFitError extends OutOfMemoryError {
  constructor(readonly fit: Fit) {
    super(outOfMemoryText(fit));
  }
}

/** Plan a run and compare it with the budget of a device; nothing is allocated. */
export async function fitIntoMemory(gpu: Gpu, model: Model, settings: TrainSettings): Promise<Fit> {
  return fitOf(await planTraining(gpu, model, settings).catch(ifOutOfMemory), gpu, model, settings);
}

/** Whether there is room for a plan, or for what is too large to be planned. */
async function fitOf(
  plan: TrainingPlan | OutOfMemoryError,
  gpu: Gpu,
  model: Model,
  settings: TrainSettings,
): Promise<Fit> {
  const limit = gpu.memoryBudget - gpu.memoryUsed;
  const refused = async (reason: string, known: Pick<Fit, "memory" | "step"> = {}) => ({
    ...known,
    limit,
    reason,
    fitting: await settingsThatFit(gpu, model, settings, limit, OFFERS),
  });
  if (plan instanceof OutOfMemoryError) return refused(plan.message);
  const { memory, flops, dispatches, seconds } = plan;
  const known = { memory, step: { flops, dispatches, seconds } };
  if (memory.total <= limit) return { ...known, limit, fitting: [] };
  return refused(`${needs(memory)}, where the limit is ${bytesText(limit)}`, known);
}

/**
 * Open a session where there is memory for it. Its plan is compared with the device's budget before anything is allocated.
 * Where it does not fit, or the device turns out to have less, a `DoesNotFitError` says so.
 */
export async function openWithinMemory(gpu: Gpu, model: Model, settings: TrainSettings): Promise<Session> {
  const plan = await planTraining(gpu, model, settings).catch(ifOutOfMemory);
  const fit = await fitOf(plan, gpu, model, settings);
  if (plan instanceof OutOfMemoryError || fit.reason !== undefined) throw new DoesNotFitError(fit);
  const { memory, kernels } = plan;
  // A driver compiles them while the session is traced.
  if (!gpu.planning) for (const ofProgram of kernels) startPipelines(gpu, ofProgram);
  const before = gpu.memoryUsed;
  const session = await openSession(gpu, model, settings).catch(ifOutOfMemory);
  if (!(session instanceof OutOfMemoryError)) return session;
  const held = gpu.memoryUsed - before;
  // What was allocated is known to be there; where the first piece failed, half of the whole is a try.
  const limit = Math.min(fit.limit, Math.max(held, memory.total / 2));
  const reason = `${needs(memory)}, which ran out of memory after ${bytesText(held)}`;
  const fitting = await settingsThatFit(gpu, model, settings, limit, OFFERS);
  throw new DoesNotFitError({ memory, limit, reason, fitting });
}

/** What does not fit, its memory by kind, and settings that fit into the limit, a line each. */
export function outOfMemoryText({ reason, fitting, limit, memory }: Fit): string {
  const names = fitting.map(({ changes }) => settingsText(changes));
  const width = Math.max(...names.map((name) => name.length));
  const rows = fitting.map(
    ({ bytes, about }, index) => `  ${names[index]!.padEnd(width)}${bytesText(bytes).padStart(11)}  ${about}`,
  );
  const room = Number.isFinite(limit) ? ` into ${bytesText(limit)}` : "";
  const title =
    rows.length >= OFFERS
      ? `settings that fit${room}:`
      : rows.length > 0
        ? `all settings found that fit${room}, with smaller batches, recomputation, rounding and every size of the model tried:`
        : `nothing fits${room}, down to the smallest batch and model tried: use another preset`;
  return [`train: ${reason}`, ...(memory ? memoryRows(memory) : []), title, ...rows].join("\n");
}

/** Memory by kind, a line each. */
export function memoryRows({ kinds }: MemoryUse): string[] {
  return kinds.map(({ kind, bytes }) => `  ${kind.padEnd(20)}${bytesText(bytes).padStart(10)}`);
}

const needs = ({ total }: MemoryUse) => `needs ${bytesText(total)} on the device`;

/** Settings as they are written behind `--set`. */
function settingsText(changes: FittingSettings["changes"]): string {
  return Object.entries(changes)
    .map(([key, value]) => `${key}=${value}`)
    .join(" ");
}

function ifOutOfMemory(error: unknown): OutOfMemoryError {
  if (error instanceof OutOfMemoryError) return error;
  throw error;
}
