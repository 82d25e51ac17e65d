import { effect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { steps, validations } from "../training/run";

const HEIGHT = 220;

/** Training and validation loss over steps. */
export function LossChart() {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => drawing(place.current!), []);
  return (
    <section class="card" aria-label="Loss">
      <h2>Loss</h2>
      <div ref={place} class="chart" aria-hidden="true" />
      <p class="hidden" aria-live="off">
        {steps.value.length > 0 &&
          `Loss fell from ${steps.value[0]!.loss.toFixed(3)} to ${steps.value.at(-1)!.loss.toFixed(3)}.`}
      </p>
    </section>
  );
}

/** Draw into an element, again whenever figures, width or colours change; the result ends that. */
function drawing(place: HTMLDivElement): () => void {
  let plot: uPlot | undefined;
  const draw = () => {
    plot?.destroy();
    plot = new uPlot(options(place), series(), place);
  };
  draw();
  const figures = effect(() => {
    const data = series();
    plot?.setData(data);
  });
  const width = new ResizeObserver(() => plot?.setSize({ width: place.clientWidth, height: HEIGHT }));
  width.observe(place);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", draw);
  return () => {
    figures();
    width.disconnect();
    dark.removeEventListener("change", draw);
    plot?.destroy();
  };
}

function series(): uPlot.AlignedData {
  const validated = new Map(validations.value.map(({ step, loss }) => [step, loss]));
  const x = steps.value.map(({ step }) => step);
  return [x, steps.value.map(({ loss }) => loss), x.map((step) => validated.get(step) ?? null)];
}

function options(place: HTMLElement): uPlot.Options {
  const style = getComputedStyle(place);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const axis = {
    stroke: colour("--quiet"),
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { stroke: colour("--line"), width: 1 },
    font: "12px system-ui",
  };
  const figure = (_: uPlot, value: number | null) => (value === null ? "–" : value.toFixed(3));
  return {
    width: place.clientWidth,
    height: HEIGHT,
    scales: { x: { time: false } },
    axes: [axis, { ...axis, size: 48 }],
    series: [
      { label: "step" },
      { label: "training", stroke: colour("--accent"), width: 1.5, points: { show: false }, value: figure },
      {
        label: "validation",
        stroke: colour("--second"),
        width: 2,
        spanGaps: true,
        points: { show: true, size: 6 },
        value: figure,
      },
    ],
  };
}
