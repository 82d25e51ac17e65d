import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { busy, configuration, goOn, problem } from "../state/run";
import { cannotKeep, refreshRuns, runs } from "../state/runs";
import { type KeptRun, readRun, removeRun } from "../storage/run-folders";
import { download } from "./download";
import { bytes, when } from "./format";

/** Runs that this browser keeps: go on, export, import, forget. */
export function RunsPanel() {
  useEffect(() => void refreshRuns(), []);
  const take = async (list: FileList | null) => {
    if (!list?.length) return;
    try {
      const { importRun } = await import("../storage/import-run");
      await importRun([...list]);
    } catch (error) {
      problem.value = { what: "Nothing was imported", todo: (error as Error).message };
    }
    await refreshRuns();
  };
  return (
    <section class="card wide" aria-label="Kept runs">
      <h2>
        Kept runs <small>in this browser; the same folders as the command line's</small>
      </h2>
      {cannotKeep.value && (
        <p class="warning" role="alert">
          This browser keeps nothing here ({cannotKeep.value}): what is trained is gone with the page.
        </p>
      )}
      {runs.value?.length === 0 && <p class="empty">Nothing is kept yet: a checkpoint comes {often()}.</p>}
      <ul class="runs">
        {runs.value?.map((run) => (
          <Run key={run.name} run={run} />
        ))}
      </ul>
      <div class="row">
        <label class="button">
          Import zip
          <input
            class="hidden"
            type="file"
            accept=".zip"
            disabled={busy.value}
            onChange={(event) => void take(event.currentTarget.files)}
          />
        </label>
        <label class="button">
          Import folder
          <input
            class="hidden"
            type="file"
            disabled={busy.value}
            {...{ webkitdirectory: true }}
            onChange={(event) => void take(event.currentTarget.files)}
          />
        </label>
      </div>
      <small>
        Unpack an exported run below “runs”, and it goes on with <code>webmoe train --resume runs/NAME</code>.
      </small>
    </section>
  );
}

/** When a run is kept. */
function often(): string {
  const { every } = configuration.value.checkpoint;
  return every > 0 ? `every ${every} steps and at the end` : "at the end";
}

function Run({ run }: { run: KeptRun }) {
  const asked = useSignal(false);
  const { name, steps } = run;
  const step = steps.at(-1);
  const save = async () => {
    const { zipRun } = await import("../storage/zip");
    download(`${name}.zip`, await zipRun(name, await readRun(name)));
  };
  const forget = async () => {
    if (!asked.value) {
      asked.value = true;
      return;
    }
    await removeRun(name);
    await refreshRuns();
  };
  return (
    <li>
      <div>
        <b>{name}</b>
        <small>
          {step === undefined ? "no checkpoint" : `step ${step}`}, {bytes(run.bytes)}, {when(run.time)}
        </small>
      </div>
      <div class="row">
        <button type="button" disabled={busy.value || step === undefined} onClick={() => void goOn(name)}>
          Go on
        </button>
        <button type="button" onClick={() => void save()}>
          Export
        </button>
        <button type="button" disabled={busy.value} onClick={() => void forget()}>
          {asked.value ? "Really forget?" : "Forget"}
        </button>
      </div>
    </li>
  );
}
