import type { Configuration } from "../configuration";
import { configuration, latest, phase, ready, steps, trainedWith, validations } from "../training/run";
import { duration, shortNumber } from "./format";
import { metricsFile } from "./metrics-file";

const said = {
  idle: "Ready to train.",
  starting: "Compiling kernels; the first time takes longer …",
  training: "Training",
  paused: "Paused",
  stopping: "Stopping after this step …",
  stopped: "Stopped",
  done: "Done",
  failed: "The run failed.",
};

/** Where the run is, and its figures. */
export function Progress() {
  const now = latest.value;
  const total = shown().steps;
  const step = now?.step ?? 0;
  const rest = now && phase.value === "training" ? (total - step) / stepsPerSecond() : undefined;
  const validation = validations.value.at(-1);
  return (
    <section class="card" aria-label="Progress">
      <div class="line">
        <strong role="status">{said[phase.value]}</strong>
        <span>
          step {step} of {total}
          {rest !== undefined && `, ${duration(rest)} to go`}
        </span>
      </div>
      <progress value={step} max={total} aria-label="Progress of the run" />
      <dl class="figures">
        <Figure name="Loss" value={now?.loss.toFixed(3)} unit="nats a token" />
        <Figure name="Validation" value={validation?.bitsPerByte.toFixed(3)} unit="bits per byte" />
        <Figure name="Speed" value={now && shortNumber(now.tokensPerSecond)} unit="tokens/s" />
        <Figure name="Parameters" value={ready.value && shortNumber(ready.value.parameters.total)} unit={sizes()} />
      </dl>
      {ready.value && (
        <p class="quiet">
          {ready.value.adapter}
          {ready.value.software && ": a software adapter, many times slower than a GPU"}
          {steps.value.length > 0 && (
            <>
              {" · "}
              <button type="button" class="link" onClick={() => download("metrics.jsonl", metricsFile())}>
                metrics.jsonl
              </button>
            </>
          )}
        </p>
      )}
    </section>
  );
}

function Figure({ name, value, unit }: { name: string; value: string | undefined; unit: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <b>{value ?? "–"}</b> <small>{unit}</small>
      </dd>
    </div>
  );
}

function sizes(): string {
  const parameters = ready.value?.parameters;
  return parameters
    ? `${shortNumber(parameters.active)} active, ${shortNumber(parameters.router)} router`
    : "of the model";
}

/** The configuration of the run whose figures are shown. */
function shown(): Configuration {
  return trainedWith.value ?? configuration.value;
}

function stepsPerSecond(): number {
  const { load, tokensPerSecond } = latest.value!;
  // Every token of a step is assigned to topK experts of the first layer.
  const assignments = load[0]!.reduce((sum, count) => sum + count, 0);
  return (tokensPerSecond * shown().topK) / assignments;
}

function download(name: string, content: string): void {
  const address = URL.createObjectURL(new Blob([content], { type: "application/x-ndjson" }));
  const link = Object.assign(document.createElement("a"), { href: address, download: name });
  link.click();
  URL.revokeObjectURL(address);
}
