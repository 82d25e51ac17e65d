import type { Configuration } from "../configuration/configuration";
import { valueAt } from "../configuration/dotted";
import type { NumberField } from "../configuration/fields";

/** A field for one number of a configuration. */
export function NumberInput(props: {
  field: NumberField;
  configuration: Configuration;
  fault: string | undefined;
  /** Before the key, to tell two forms apart. */
  prefix?: string;
  change(key: string, value: unknown): void;
}) {
  const { field, configuration, fault, prefix = "", change } = props;
  const { key, label, about, min, max, whole, empty } = field;
  const value = valueAt(configuration, key);
  const id = `${prefix}${key}`;
  return (
    <div class="field">
      <label for={id}>
        {label} {about && <small>{about}</small>}
      </label>
      <input
        type="number"
        id={id}
        name={id}
        {...{ min, max }}
        step={whole ? 1 : "any"}
        placeholder={empty}
        value={typeof value === "number" && !Number.isNaN(value) ? value : ""}
        aria-invalid={fault !== undefined}
        aria-describedby={fault && `${id}-fault`}
        onInput={({ currentTarget: { value, valueAsNumber } }) =>
          change(key, value === "" && empty ? undefined : valueAsNumber)
        }
      />
      {fault && (
        <small id={`${id}-fault`} class="fault">
          {fault}
        </small>
      )}
    </div>
  );
}
