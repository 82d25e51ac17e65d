import { CODE, type Configuration, presetConfiguration, presetNames } from "../configuration/configuration";
import { withValue } from "../configuration/dotted";
import { faults } from "../configuration/faults";
import { fields, type NumberField } from "../configuration/fields";
import { rivalFields } from "../configuration/rival";
import { CodeEditor } from "../router-code/code-editor";
import { busy, configuration, configurations, rival, start } from "../state/run";
import { NumberInput } from "./number-input";
import { RouterField } from "./router-field";
import { SizeFigures } from "./size-figures";
import { TextField } from "./text-field";

function change(key: string, value: unknown): void {
  configuration.value = withValue(configuration.value, key, value);
}

function changeRival(key: string, value: unknown): void {
  rival.value = withValue(rival.value!, key, value);
}

/** What to train and on what. */
export function Setup() {
  const now = configuration.value;
  const wrong = faults(now);
  const numbers = (list: NumberField[]) => (
    <div class="grid">
      {list.map((field) => (
        <NumberInput key={field.key} {...{ field, change }} configuration={now} fault={wrong[field.key]} />
      ))}
    </div>
  );
  return (
    <form
      class="card setup"
      aria-label="Set-up"
      id="setup"
      onSubmit={(event) => {
        event.preventDefault();
        void start();
      }}
    >
      <fieldset disabled={busy.value}>
        <legend class="hidden">Set-up</legend>
        <TextField />
        <RouterField
          configuration={now}
          faults={wrong}
          change={change}
          choose={(router) => {
            configuration.value = { ...configuration.value, router };
          }}
        />
        {[now, rival.value].some((one) => one?.router.name === CODE) && <CodeEditor />}
        {numbers(fields.experts)}
        <PresetField />
        <details>
          <summary>Model</summary>
          {numbers(fields.model)}
        </details>
        <SizeFigures />
        {numbers(fields.training)}
        <details>
          <summary>More settings</summary>
          {numbers(fields.more)}
          <label class="check">
            <input
              type="checkbox"
              checked={now.memory.recompute}
              onChange={({ currentTarget }) => change("memory.recompute", currentTarget.checked)}
            />
            <small>Save memory: compute layers again for their gradients</small>
          </label>
        </details>
        <RivalForm />
      </fieldset>
    </form>
  );
}

function PresetField() {
  return (
    <div class="field">
      <label for="preset">Size</label>
      <select
        id="preset"
        value={configuration.value.preset}
        onChange={({ currentTarget }) => {
          const { router, data, seed } = configuration.value;
          const preset = currentTarget.value as Configuration["preset"];
          configuration.value = { ...presetConfiguration(preset), router, data, seed };
        }}
      >
        {presetNames.map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
    </div>
  );
}

/** The second configuration of a race. */
function RivalForm() {
  const other = rival.value;
  return (
    <section class="rival" aria-label="Race">
      <label class="check">
        <input
          type="checkbox"
          checked={other !== undefined}
          onChange={({ currentTarget }) => {
            rival.value = currentTarget.checked ? { ...configuration.value, router: { name: "linear" } } : undefined;
          }}
        />
        Race against another
      </label>
      {other && (
        <>
          <RouterField
            label="Rival's router"
            prefix="rival."
            configuration={other}
            faults={faults(configurations.value[1]!)}
            change={changeRival}
            choose={(router) => {
              rival.value = { ...other, router };
            }}
          />
          <div class="grid">
            {rivalFields.map((field) => (
              <NumberInput
                key={field.key}
                {...{ field, prefix: "rival." }}
                configuration={other}
                fault={faults(configurations.value[1]!)[field.key]}
                change={changeRival}
              />
            ))}
          </div>
          <small>Both see the same batches with the same seed, in turn. Races are not kept.</small>
        </>
      )}
    </section>
  );
}
