import { goOn, lanes, notice, problem, runName } from "../state/run";

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
            <details>
              <summary>The error</summary>
              <code>{wrong.detail}</code>
            </details>
          )}
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
