import { computed } from "@preact/signals";
import { CODE } from "../configuration/configuration";
import { faults } from "../configuration/faults";
import { fitWarning } from "../configuration/fit";
import { type Measure, measure } from "../configuration/measure";
import { bytes, shortNumber } from "../panels/format";
import { configuration, configurations } from "../state/run";
import { room } from "../state/web-gpu";

/** What the configuration takes; undefined while it has faults. */
export const measured = computed<Measure | undefined>(() =>
  Object.keys(faults(configuration.value)).length > 0 ? undefined : measure(configuration.value),
);

const warning = computed(() => {
  const sound = configurations.value.filter((one) => Object.keys(faults(one)).length === 0);
  return room.value && sound.map((one) => fitWarning(measure(one), room.value!)).find(Boolean);
});

/** Parameters, memory and arithmetic of what is chosen, as it is chosen. */
export function SizeFigures() {
  const size = measured.value;
  const figures: [string, string | undefined, string][] = [
    ["parameters", size && shortNumber(size.total), size ? `${shortNumber(size.active)} active` : ""],
    ["router", size && shortNumber(size.router), configuration.value.router.name === CODE ? "as a linear one" : ""],
    ["memory", size && `≈ ${bytes(size.bytes)}`, "on the GPU"],
    ["a step", size && shortNumber(size.flopsPerStep, "FLOP"), ""],
  ];
  return (
    <>
      <dl class="sizes" aria-label="Size of the model">
        {figures.map(([name, value, more]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              <b>{value ?? "–"}</b> <small>{more}</small>
            </dd>
          </div>
        ))}
      </dl>
      {warning.value && (
        <p class="warning" role="alert">
          {warning.value}
        </p>
      )}
    </>
  );
}
