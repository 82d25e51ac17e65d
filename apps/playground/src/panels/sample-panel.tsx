import { lanes } from "../state/run";
import { laneNames } from "./lane-names";

/** What the model writes at this stage. */
export function SamplePanel() {
  const shown = lanes.value;
  return (
    <section class={shown.length > 1 ? "card wide" : "card"} aria-label="Sample">
      <h2>Sample</h2>
      {shown.every(({ sample }) => !sample.value) && (
        <p class="empty">Text that the model writes, drawn again as training goes.</p>
      )}
      <div class="lanes">
        {shown.map(({ sample: { value: sample } }, index) =>
          sample ? (
            <div key={laneNames.value[index]}>
              <h3>
                {shown.length > 1 && laneNames.value[index]} <small>after step {sample.step}</small>
              </h3>
              <p class="text">
                <b>{sample.prompt}</b>
                {visible(sample.text)}
              </p>
            </div>
          ) : null,
        )}
      </div>
    </section>
  );
}

/** Control characters, which a young model writes too, show as U+FFFD. */
function visible(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]/gu, "\ufffd");
}
