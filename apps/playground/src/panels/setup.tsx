import { useSignal } from "@preact/signals";
import { routerNamed, routerNames } from "@webmoe/routers";
import { type Configuration, faults, type NumberKey, ranges } from "../configuration";
import {
  busy,
  configuration,
  learnFrom,
  pause,
  phase,
  problem,
  resume,
  start,
  stop,
  text,
  trainable,
} from "../training/run";

const fields: { name: NumberKey; label: string; step: string }[] = [
  { name: "experts", label: "Experts per layer", step: "1" },
  { name: "topK", label: "Experts per token", step: "1" },
  { name: "steps", label: "Steps", step: "1" },
  { name: "lr", label: "Learning rate", step: "any" },
  { name: "seed", label: "Seed", step: "1" },
];

function change(part: Partial<Configuration>): void {
  configuration.value = { ...configuration.value, ...part };
}

/** What to train, on what, and the buttons. */
export function Setup() {
  return (
    <section class="card setup" aria-label="Set-up">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void start();
        }}
      >
        <fieldset disabled={busy.value}>
          <RouterField />
          <div class="numbers">
            {fields.map((field) => (
              <NumberField key={field.name} {...field} />
            ))}
          </div>
          <TextField />
        </fieldset>
        <Buttons />
      </form>
      {problem.value && (
        <p class="problem" role="alert">
          {problem.value}
        </p>
      )}
    </section>
  );
}

function RouterField() {
  const { router } = configuration.value;
  return (
    <label>
      Router
      <select
        value={router}
        aria-describedby="about-router"
        onChange={(event) => change({ router: event.currentTarget.value })}
      >
        {routerNames.map((name) => (
          <option key={name} value={name}>
            {routerNamed(name)!.title}
          </option>
        ))}
      </select>
      <small id="about-router">{routerNamed(router)!.about}</small>
    </label>
  );
}

function NumberField({ name: key, label, step }: { name: NumberKey; label: string; step: string }) {
  const fault = faults(configuration.value)[key];
  const { min, max } = ranges[key];
  const value = configuration.value[key];
  return (
    <label>
      {label}
      <input
        type="number"
        name={key}
        {...{ min, max, step }}
        value={Number.isNaN(value) ? "" : value}
        aria-invalid={fault !== undefined}
        aria-describedby={fault && `${key}-fault`}
        onInput={(event) => change({ [key]: event.currentTarget.valueAsNumber })}
      />
      {fault && (
        <small id={`${key}-fault`} class="fault">
          {fault}
        </small>
      )}
    </label>
  );
}

function TextField() {
  const over = useSignal(false);
  const chosen = text.value;
  const take = (files: FileList | null | undefined) => {
    const file = files?.[0];
    if (file) void learnFrom(file);
  };
  return (
    <label
      class={over.value ? "drop over" : "drop"}
      onDragOver={(event) => {
        event.preventDefault();
        over.value = !busy.value;
      }}
      onDragLeave={() => {
        over.value = false;
      }}
      onDrop={(event) => {
        event.preventDefault();
        over.value = false;
        if (!busy.value) take(event.dataTransfer?.files);
      }}
    >
      Text
      <strong>{chosen === "moby-dick" ? "Moby-Dick" : chosen.name}</strong>
      <small>Drop a text file here, or choose one. It never leaves this page.</small>
      <input type="file" accept="text/*,.txt,.md,.json,.csv" onChange={(event) => take(event.currentTarget.files)} />
    </label>
  );
}

function Buttons() {
  const now = phase.value;
  if (!busy.value) {
    return (
      <div class="buttons">
        <button type="submit" class="primary" disabled={!trainable.value}>
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
      <button type="button" disabled={!running} onClick={stop}>
        Stop
      </button>
    </div>
  );
}
