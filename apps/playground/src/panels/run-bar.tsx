import type { LaneFigures } from "../state/lane-figures";
import { busy, configuration, keep, lanes, pause, phase, resume, runName, step, stop, trainable } from "../state/run";
import { download } from "./download";
import { bytes, duration, shortNumber } from "./format";
import { metricsFile } from "./metrics-file";

const said = {
  idle: "Ready to train",
  starting: "Compiling kernels …",
  training: "Training",
  paused: "Paused",
  stopping: "Stopping …",
  stopped: "Stopped",
  done: "Done",
  failed: "The run failed",
};

/** Where the run is, its figures, and the buttons. */
export function RunBar() {
  const lane = lanes.value[0];
  const now = lane?.latest.value;
  const total = (lane?.configuration ?? configuration.value).train.steps;
  const at = now?.step ?? 0;
  return (
    <section class="card bar" aria-label="Progress">
      <div class="row spread">
        <div>
          <strong role="status" class={`phase ${phase.value}`}>
            {said[phase.value]}
          </strong>
          <span class="quiet">
            {" "}
            step {at} of {total}
            {now && phase.value === "training" && at < total && `, ${duration(remaining())} to go`}
            {lane?.kept.value !== undefined && ` · kept at step ${lane.kept.value}`}
          </span>
        </div>
        <Buttons />
      </div>
      <progress value={at} max={total} aria-label="Progress of the run" />
      <Figures />
    </section>
  );
}

/** What the run is computed on, and its figures as a file. */
export function RunNote() {
  const lane = lanes.value[0];
  const ready = lane?.ready.value;
  if (!ready) return null;
  return (
    <p class="quiet note">
      {ready.adapter}
      {ready.software && ": a software adapter, many times slower than a GPU"}, {bytes(ready.bytes)} on the device
      {lane.latest.value && (
        <>
          {" · "}
          <button type="button" class="link" onClick={() => download("metrics.jsonl", new Blob([metricsFile(lane)]))}>
            metrics.jsonl
          </button>
        </>
      )}
    </p>
  );
}

/** The latest figures; of two that race, both. */
function Figures() {
  const of = (figure: (lane: LaneFigures) => string | undefined) =>
    lanes.value.map((lane) => figure(lane) ?? "–").join(" / ");
  const validation = lanes.value.length === 1 ? lanes.value[0]!.validation.value : undefined;
  const nats = lanes.value.length === 1 ? "nats a byte" : "nats";
  const figures: [name: string, value: string, unit: string][] = [
    ["Loss", of(({ latest }) => latest.value?.loss.toFixed(3)), nats],
    [
      "Validation",
      of(({ validation }) => validation.value?.loss.toFixed(3)),
      validation ? `nats = ${validation.bitsPerByte.toFixed(2)} bits` : nats,
    ],
    ["Speed", of(({ latest }) => latest.value && shortNumber(latest.value.tokensPerSecond)), "tokens/s"],
    ["Parameters", of(({ ready }) => ready.value && shortNumber(ready.value.parameters.total)), ""],
  ];
  return (
    <dl class="figures">
      {figures.map(([name, value, unit]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            <b>{value || "–"}</b> <small>{value && unit}</small>
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Buttons() {
  const now = phase.value;
  if (!busy.value) {
    return (
      <div class="buttons">
        <button type="submit" form="setup" class="primary" disabled={!trainable.value}>
          {now === "idle" ? "Train" : "Train again"}
        </button>
      </div>
    );
  }
  const running = now === "training" || now === "paused";
  return (
    <div class="buttons">
      <button type="button" disabled={!running} onClick={now === "paused" ? resume : pause}>
        {now === "paused" ? "Resume" : "Pause"}
      </button>
      <button type="button" disabled={now !== "paused"} onClick={step}>
        Step
      </button>
      <button type="button" disabled={!running || runName.value === undefined} onClick={keep}>
        Keep
      </button>
      <button type="button" disabled={!running} onClick={stop}>
        Stop
      </button>
    </div>
  );
}

/** Seconds until the last step of every run, at the speed of the latest one. */
function remaining(): number {
  return lanes.value.reduce((sum, { latest, configuration }) => {
    if (!latest.value) return sum;
    const { batch, model, train } = configuration;
    const tokens = batch.size * batch.accumulate * model.context;
    return sum + ((train.steps - latest.value.step) * tokens) / latest.value.tokensPerSecond;
  }, 0);
}
