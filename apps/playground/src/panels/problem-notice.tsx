import { goOn, lanes, notice, problem, runName, takeSettings } from "../state/run";
import { bytes } from "./format";

/** What went wrong and what to do; nothing where all is well. */
export function ProblemNotice() {
  const { value: wrong } = problem;
  const name = runName.value;
  return (
    <>
      {wrong && (
        <section class="card problem" role="alert">
          <h2>{wrong.what}</h2>
          <p>{wrong.todo}</p>
          {wrong.detail && wrong.detail !== wrong.todo && (
            <details open={wrong.detail.includes("\n")}>
              <summary>The error</summary>
              <pre>{wrong.detail}</pre>
            </details>
          )}
          <Fitting />
          {name !== undefined && lanes.value[0]?.kept.value !== undefined && (
            <button type="button" class="primary" onClick={() => void goOn(name)}>
              Go on from step {lanes.value[0].kept.value}
            </button>
          )}
        </section>
      )}
      {[notice.value, ...lanes.value.map(({ notice }) => notice.value)].filter(Boolean).map((said) => (
        <p key={said} class="card notice" role="status">
          {said}
        </p>
      ))}
    </>
  );
}

/** Settings with which a run fits that did not, to be taken with a press. */
function Fitting() {
  const settings = lanes.value.flatMap(({ fitting }) => fitting.value?.settings ?? []);
  if (settings.length === 0) return null;
  return (
    <ul class="plain" aria-label="Settings that fit">
      {settings.map(({ changes, about, bytes: size }) => (
        <li key={about}>
          <button type="button" onClick={() => takeSettings(changes)}>
            Take {about}
          </button>
          <small>
            {Object.entries(changes)
              .map(([key, value]) => `${key} ${value}`)
              .join(", ")}
            : {bytes(size)}
          </small>
        </li>
      ))}
    </ul>
  );
}
