import { useSignalEffect } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import type { LaneFigures } from "../state/lane-figures";
import { lanes } from "../state/run";
import { expertStyle } from "./expert-colour";
import { laneNames } from "./lane-names";
import { type LoadHistory, loadHistory } from "./load-history";

/** Rows of a heat map that are high enough for the number of an expert. */
const NAMED = 8;

/** Expert load of every layer over time, of every run that is shown. */
export function LoadPanel() {
  const shown = lanes.value;
  return (
    <section class="card wide" aria-label="Expert load">
      <h2>
        Expert load <small>over time; each row is an expert, and its bar is its share of the last steps</small>
      </h2>
      {shown.length === 0 && (
        <p class="empty">Shows how tokens spread over the experts of each layer, and which experts die.</p>
      )}
      {shown.map((lane, index) => (
        <LaneLoad
          key={laneNames.value[index]}
          lane={lane}
          name={shown.length > 1 ? laneNames.value[index] : undefined}
        />
      ))}
      {shown.length > 0 && (
        <p class="scale">
          no tokens <span class="gradient" /> twice an even share or more
        </p>
      )}
    </section>
  );
}

function LaneLoad({ lane, name }: { lane: LaneFigures; name: string | undefined }) {
  const seen = useRef(0);
  const history = useMemo(() => {
    seen.current = 0;
    return loadHistory();
  }, [lane]);
  lane.version.value;
  for (const { step, load } of lane.steps) {
    if (step > seen.current && load.length > 0) {
      history.push(load);
      seen.current = step;
    }
  }
  const layers = lane.latest.value?.load.length ?? 0;
  return (
    <>
      {name && <h3>{name}</h3>}
      <div class="layers">
        {Array.from({ length: layers }, (_, layer) => (
          <LayerLoad key={String(layer)} {...{ history, lane, layer }} />
        ))}
      </div>
    </>
  );
}

function LayerLoad({ history, lane, layer }: { history: LoadHistory; lane: LaneFigures; layer: number }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useSignalEffect(() => {
    lane.version.value;
    paint(canvas.current, history.columns(layer));
  });
  useEffect(() => {
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const again = () => paint(canvas.current, history.columns(layer));
    again();
    dark.addEventListener("change", again);
    return () => dark.removeEventListener("change", again);
  }, [history, layer]);
  const recent = lane.steps.slice(-20);
  const counts = (lane.latest.value?.load[layer] ?? []).map((_, expert) =>
    recent.reduce((sum, { load }) => sum + (load[layer]?.[expert] ?? 0), 0),
  );
  const total = Math.max(
    1,
    counts.reduce((sum, count) => sum + count, 0),
  );
  return (
    <div class="layer">
      <h3>layer {layer}</h3>
      <div class="names" style={{ "--rows": String(counts.length) }} aria-hidden="true">
        {counts.map((_, expert) => (
          <span key={String(expert)} class="expert used" style={expertStyle(expert)}>
            {counts.length <= NAMED ? expert : ""}
          </span>
        ))}
      </div>
      <canvas ref={canvas} class="heat" style={{ "--rows": String(counts.length) }} />
      <div class="bars" style={{ "--rows": String(counts.length) }}>
        {counts.map((count, expert) => (
          <meter
            key={String(expert)}
            min={0}
            max={2 / counts.length}
            value={count / total}
            aria-label={`Layer ${layer}, expert ${expert}: ${percent(count / total)}`}
            title={`expert ${expert}: ${percent(count / total)}`}
          />
        ))}
      </div>
    </div>
  );
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

/** A pixel for each column and expert; the style sheet stretches them. */
function paint(canvas: HTMLCanvasElement | null, columns: number[][]): void {
  const rows = columns[0]?.length;
  if (!canvas || !rows) return;
  const context = canvas.getContext("2d")!;
  const style = getComputedStyle(canvas);
  const [none, even, much] = ["--heat-none", "--heat-even", "--heat-much"].map((name) =>
    rgb(style.getPropertyValue(name)),
  );
  if (canvas.width !== columns.length) canvas.width = columns.length;
  if (canvas.height !== rows) canvas.height = rows;
  const image = context.createImageData(columns.length, rows);
  columns.forEach((shares, x) => {
    shares.forEach((share, y) => {
      const [from, to, part] = share < 1 ? [none!, even!, share] : [even!, much!, Math.min(1, share - 1)];
      const at = 4 * (y * columns.length + x);
      for (let c = 0; c < 3; c++) image.data[at + c] = from[c]! + (to[c]! - from[c]!) * part;
      image.data[at + 3] = 255;
    });
  });
  context.putImageData(image, 0, 0);
}

/** A colour of the style sheet, which registers these properties and so decides them to "rgb(r, g, b)". */
function rgb(colour: string): number[] {
  return (colour.match(/[\d.]+/g) ?? ["0", "0", "0"]).slice(0, 3).map(Number);
}
