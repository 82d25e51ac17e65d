import { useSignal } from "@preact/signals";
import { MOBY_DICK } from "../configuration/configuration";
import { busy, configuration, learnFrom, missingText, text } from "../state/run";

/** What to learn from: the text of the page, a file, or what is pasted. */
export function TextField() {
  const over = useSignal(false);
  const pasted = useSignal("");
  const { data } = configuration.value;
  const take = (files: FileList | null | undefined) => {
    const file = files?.[0];
    if (file) void learnFrom(file, file.name);
  };
  return (
    <section
      class={over.value ? "drop over" : "drop"}
      aria-label="Text"
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
      <p>
        Learns from <strong>{data === MOBY_DICK ? "Moby-Dick" : data}</strong>
        {text.value?.name === data && <small> {text.value.bytes.length.toLocaleString("en")} bytes</small>}
      </p>
      {missingText.value && (
        <p class="fault" role="alert">
          An address cannot hold a text: give “{data}” here again, or another.
        </p>
      )}
      <div class="row">
        <label class="button">
          Text file
          <input
            class="hidden"
            type="file"
            accept="text/*,.txt,.md,.json,.csv"
            onChange={(event) => take(event.currentTarget.files)}
          />
        </label>
        {data !== MOBY_DICK && (
          <button
            type="button"
            onClick={() => {
              configuration.value = { ...configuration.value, data: MOBY_DICK };
            }}
          >
            Moby-Dick
          </button>
        )}
      </div>
      <details>
        <summary>Paste a text</summary>
        <label class="field">
          <span class="hidden">Pasted text</span>
          <textarea
            rows={4}
            value={pasted.value}
            placeholder="A few thousand characters at least …"
            onInput={(event) => {
              pasted.value = event.currentTarget.value;
            }}
          />
        </label>
        <button type="button" onClick={() => void learnFrom(new Blob([pasted.value]), "pasted text")}>
          Learn from this
        </button>
      </details>
      <small>Or drop a file here. It never leaves this page.</small>
    </section>
  );
}
