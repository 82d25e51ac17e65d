import { useSignal } from "@preact/signals";
import type { TracedToken } from "@webmoe/trainer";
import { proxy } from "comlink";
import { canWrite, lanes, worker } from "../state/run";
import { TokenLine } from "./token-line";

/** Write with the model of the run: token by token, with the experts of each. */
export function WriterPanel() {
  const prompt = useSignal("The ");
  const temperature = useSignal(0.8);
  const topP = useSignal(0.95);
  const length = useSignal(200);
  const written = useSignal<TracedToken[]>([]);
  const asked = useSignal("");
  const writing = useSignal(false);
  const fault = useSignal<string | undefined>(undefined);
  const lane = lanes.value[0];

  const write = async () => {
    written.value = [];
    asked.value = prompt.value;
    writing.value = true;
    fault.value = undefined;
    const request = {
      ...{ prompt: prompt.value, tokens: length.value, temperature: temperature.value, topP: topP.value },
      seed: Math.floor(Math.random() * 2 ** 31),
    };
    const deliver = (tokens: TracedToken[]) => {
      written.value = [...written.value, ...tokens];
    };
    try {
      await worker()!.write(request, proxy(deliver));
    } catch (error) {
      fault.value = (error as Error).message;
    }
    writing.value = false;
  };

  return (
    <section class="card wide writer" aria-label="Write">
      <h2>Write</h2>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (!writing.value) void write();
        }}
      >
        <label class="field">
          <span>Prompt</span>
          <input
            value={prompt.value}
            required
            onInput={(event) => {
              prompt.value = event.currentTarget.value;
            }}
          />
        </label>
        <Slider label="Temperature" min={0} max={2} value={temperature} />
        <Slider label="Top-p" max={1} value={topP} />
        <Slider label="Characters" max={1000} step={10} value={length} />
        {writing.value ? (
          <button type="button" onClick={() => void worker()?.stopWriting()}>
            Stop writing
          </button>
        ) : (
          <button type="submit" disabled={!canWrite.value || prompt.value === ""}>
            Write
          </button>
        )}
      </form>
      {!canWrite.value && (
        <p class="empty">
          {lanes.value.length > 1
            ? "Two models race: one that trains alone can write."
            : "The model can write once it trains."}
        </p>
      )}
      {fault.value && (
        <p class="fault" role="alert">
          {fault.value}
        </p>
      )}
      {written.value.length > 0 && lane && (
        <TokenLine
          tokens={written.value.map(({ token, routes }) => ({ byte: token, routes }))}
          experts={lane.configuration.moe.experts}
          label="Written text"
          lead={asked.value}
        />
      )}
    </section>
  );
}

function Slider(props: { label: string; max: number; step?: number; min?: number; value: { value: number } }) {
  const { label, max, step = 0.05, min = step, value } = props;
  return (
    <label class="slider">
      <span>{label}</span>
      <input
        type="range"
        {...{ min, max, step }}
        value={value.value}
        onInput={(event) => {
          value.value = event.currentTarget.valueAsNumber;
        }}
      />
      <output>{value.value}</output>
    </label>
  );
}
