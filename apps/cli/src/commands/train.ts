import { readdir, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { type Checkpoint, type Session, train } from "@webmoe/trainer";
import { createRun, latestRun, openRun, type RunFolder } from "@webmoe/trainer/node";
import { adapterName, DeviceLostError, type Gpu } from "@webmoe/webgpu";
import color from "picocolors";
import { type ConfigFlags, checkedConfig, givenKeys, resolveConfig } from "../config/resolve";
import { resumedConfig } from "../config/resumed";
import type { Config } from "../config/schema";
import { dryRun } from "../dry-run/dry-run";
import { UsageError } from "../errors";
import { openDevice } from "../open-device";
import { findRunFiles, runRecord } from "../run-files";
import { RUNS, type SavedRun } from "../run-model";
import { runName } from "../run-name";
import { runTokenizer, saveTokenizer } from "../run-text";
import { openStart, type StartFlags, startConfig, starter } from "../start";
import { STOPPING, stopSignal } from "../stop-signal";
import { prepareClassification } from "../tasks/classification";
import { prepareLanguage } from "../tasks/language";
import { type PreparedRun, settingsOf } from "../tasks/prepared-run";
import { aboutRun } from "../terminal/about-run";
import { bytes, duration } from "../terminal/format";
import { loadChart } from "../terminal/load-chart";
import { type ProgressDisplay, progressDisplay } from "../terminal/progress";
import { shellWord } from "../terminal/shell-word";
import { COMMAND } from "../version";

export interface TrainFlags extends ConfigFlags, StartFlags {
  out?: string;
  resume?: string;
  /** Say what the run would take, and train nothing; with `json` as one JSON object. */
  dryRun?: boolean;
  json: boolean;
}

/** Train a model, or go on with an interrupted run, and keep everything in a run folder. */
export async function trainCommand(flags: TrainFlags): Promise<void> {
  if (flags.dryRun && flags.resume) throw new UsageError("--dry-run: is of a run that begins, without --resume");
  if (flags.json && !flags.dryRun) throw new UsageError("--json: goes with --dry-run; a run keeps metrics.jsonl");
  const begin = flags.resume ? await resumeRun(flags) : await startRun(flags);
  if (!begin) return;
  const { config, folder, checkpoint, start } = begin;
  // A run that was killed before its first checkpoint may have been killed before its tokenizer was whole.
  const saved = folder && checkpoint && (await runTokenizer(folder.path, config));
  const tokenizerOf = start && (await runTokenizer(start.folder.path, start.config));
  const prepare = config.task === "classify" ? prepareClassification : prepareLanguage;
  const given = folder || start ? undefined : givenKeys(flags);
  const run: PreparedRun = await prepare(config, saved ?? tokenizerOf, given);
  if (flags.dryRun) return dryRun(config, run, flags);
  const { model, tokenizer } = run;
  const settings = settingsOf(config, run);
  // The device before the folder: where there is none, nothing is left behind.
  let gpu: Gpu | undefined = await openDevice(config);
  const store = folder ?? (await newRunFolder(flags, config));
  if (!saved) await saveTokenizer(store.path, tokenizer);
  if (folder) await store.truncateMetrics(checkpoint?.step ?? 0);
  if (config.log.tensorboard) await store.writeEvents(checkpoint?.step ?? 0);
  console.log(aboutRun(config, run));

  const begun = performance.now();
  let display: ProgressDisplay | undefined;
  let session: Session | undefined;
  let step = checkpoint?.step ?? 0;
  /** A run that could not begin, as its router is at fault or it does not fit, has nothing to go on with. */
  let abandoned = false;
  /** A line of its own, above the progress or behind what is said of compiling. */
  const say = (line: string) => (display ? display.print(line) : console.log(`\n${line}`));
  const signal = stopSignal({
    asked: () => say(color.yellow(STOPPING)),
    leaving: () => display?.stop(),
  });
  const started: string[] = [];
  process.stdout.write("compiling kernels (the first time takes longer) …");
  const reports = train({
    async open() {
      const opened = gpu ?? (await openDevice(config));
      gpu = undefined;
      return opened;
    },
    model,
    settings,
    data: run.data,
    store,
    initialize: starter(config, model, (line) => started.push(line)),
    resume: checkpoint,
    signal,
  });
  try {
    for await (const report of reports) {
      if (report.kind === "ready") {
        session = report.session;
        if (display) continue; // on another device, in place of a lost one
        const { gpu, stats } = session;
        console.log(
          ` ${report.seconds.toFixed(1)} s\n${color.bold("adapter")}  ${adapterName(gpu.adapter)}, ${gpu.target.kernelClass} kernels\n` +
            `${color.bold("step")}     ${stats.dispatches} dispatches, ${stats.pipelines} pipelines, ${bytes(gpu.memoryUsed)} on the device\n` +
            started.map((line) => `${color.bold("start")}    ${line}\n`).join(""),
        );
        display = progressDisplay(config.train.steps, checkpoint?.step ?? 0, config.log.every);
      } else if (report.kind === "step") {
        display!.update(report);
        step = report.step;
        const { every } = config.sample;
        if (run.sample && every > 0 && report.step % every === 0 && report.step < config.train.steps) {
          display!.print(await run.sample(session!).catch(withoutDevice));
        }
      } else if (report.kind === "warning") {
        display!.print(`${color.yellow("warning")}  step ${report.step}: ${report.message}`);
      } else if (report.kind === "device-lost") {
        const { step, from, attempt, message } = report;
        const line = `${message}: opening another (${attempt} of 3), and computing steps ${from + 1} to ${step} again`;
        say(color.yellow(line));
      } else if (report.kind === "validation") {
        const last = report.step >= config.train.steps;
        const title = color.bold(last ? "validation" : `validation at step ${report.step}`);
        const line = `${title}  ${run.line(report)}`;
        if (!last) display!.print(line);
        else {
          display!.stop();
          console.log(["", line, ...(run.table ? ["", run.table(report)] : []), "", loadChart(report.load)].join("\n"));
        }
      } else if (report.kind === "done" && run.sample && !signal.aborted && config.sample.tokens > 0) {
        console.log(`\n${await run.sample(report.session)}`);
      }
    }
  } catch (error) {
    abandoned = !folder && !session;
    throw error;
  } finally {
    if (!session) console.log(); // ends the line that says what is compiled
    display?.stop();
    await store.close();
    if (abandoned) await emptyFolder(store.path);
  }
  const interrupted = signal.aborted && step < config.train.steps;
  console.log(
    `\n${color.bold(interrupted ? `stopped at step ${step} of ${config.train.steps}` : "done")} in ${duration((performance.now() - begun) / 1000)}; the run is in ${color.cyan(store.path)}`,
  );
  const path = shellWord(store.path);
  const [what, command] = interrupted ? ["go on with", `train --resume ${path}`] : run.next(path);
  console.log(color.dim(`${what}: ${COMMAND} ${command}`));
  if (interrupted) process.exitCode = 130;
}

interface Start {
  config: Config;
  folder?: RunFolder;
  checkpoint?: Checkpoint;
  /** The run that a new one starts from. */
  start?: SavedRun;
}

async function startRun(flags: TrainFlags): Promise<Start> {
  const start = await openStart(flags);
  return { config: resolveConfig(flags, start && startConfig(start, flags)), start };
}

async function newRunFolder(flags: TrainFlags, config: Config): Promise<RunFolder> {
  const path = flags.out ?? join(RUNS, runName([config.preset, config.router.name]));
  return createRun(path, runRecord(config)).catch((error: Error) => {
    throw new UsageError(error.message);
  });
}

/** Undefined where there is nothing left to do: whoever starts a run again and again until it is done may stop then. */
async function resumeRun(flags: TrainFlags): Promise<Start | undefined> {
  const path = flags.resume === "auto" ? (flags.out ?? (await latestRun(RUNS))) : flags.resume!;
  if (!path) return startRun(flags);
  const folder = await openRun(path).catch((error: Error) => {
    if (flags.resume === "auto") return undefined;
    throw new UsageError(`--resume: ${error.message}`);
  });
  if (!folder) return startRun(flags);
  const { config: saved, folder: began } = await folder.readConfig();
  const resumed = resumedConfig(checkedConfig(saved), flags, path);
  const config = findRunFiles(resumed, { began, run: path });
  await folder.lock();
  let damaged = false;
  const checkpoint = await folder.latestCheckpoint((message) => {
    damaged = true;
    console.error(message);
  });
  if (checkpoint && checkpoint.step >= config.train.steps) {
    const done = `the run in "${path}" is done at step ${checkpoint.step}: ask for more with --steps`;
    if (flags.resume !== "auto") throw new UsageError(`--resume: ${done}`);
    console.log(done);
    await folder.close();
    return undefined;
  }
  const from = checkpoint
    ? `from step ${checkpoint.step}`
    : `from the start: ${damaged ? "none of its checkpoints is whole" : "it has no checkpoint"}`;
  console.log(`resuming ${path} ${from}`);
  return { config, folder, checkpoint };
}

/** Remove what is in a folder, and the folder where that may be. */
async function emptyFolder(path: string): Promise<void> {
  for (const name of await readdir(path)) await rm(join(path, name), { recursive: true });
  await rmdir(path).catch(() => {});
}

/** A device that is lost while a sample is written is replaced at the next step. */
function withoutDevice(error: unknown): string {
  if (error instanceof DeviceLostError) return color.dim("no sample: the device was lost");
  throw error;
}
