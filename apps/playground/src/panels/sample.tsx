import { sample } from "../training/run";

/** What the model writes at this stage. */
export function Sample() {
  const latest = sample.value;
  return (
    <section class="card" aria-label="Sample">
      <h2>Sample{latest && <small> after step {latest.step}</small>}</h2>
      {latest ? (
        <p class="text">
          <b>{latest.prompt}</b>
          {visible(latest.text)}
        </p>
      ) : (
        <p class="quiet">Text that the model writes: the first comes after 100 steps.</p>
      )}
    </section>
  );
}

/** Control characters, which a young model writes too, show as U+FFFD. */
function visible(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]/gu, "\ufffd");
}
