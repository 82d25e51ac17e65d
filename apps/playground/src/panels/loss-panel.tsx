import { useMemo } from "preact/hooks";
import type { LaneFigures } from "../state/lane-figures";
import { lanes } from "../state/run";
import { Chart, type Line } from "./chart";
import { laneNames } from "./lane-names";
import { aligned, type Point, smoothed, thinned } from "./series";

/** Loss of the steps of a run. */
export const lossPoints = ({ steps }: LaneFigures): Point[] => steps.map(({ step, loss }) => ({ step, value: loss }));

const COLOURS = ["--first", "--second"];

/** Training and validation loss over steps, of every run that is shown. */
export function LossPanel() {
  const shown = lanes.value;
  const names = laneNames.value;
  const lines: Line[] = shown.flatMap((_, index) => {
    const name = shown.length > 1 ? `${names[index]} ` : "";
    const colour = COLOURS[index]!;
    return [
      { label: `${name}training`, colour, width: 2 },
      {
        label: `${name}validation`,
        colour: shown.length > 1 ? colour : "--second",
        width: 1,
        points: true,
        dash: [4, 3],
      },
    ];
  });
  const data = useMemo(
    () => () =>
      aligned(
        shown.flatMap((lane) => {
          lane.version.value;
          const validations = lane.validations.map(({ step, loss }) => ({ step, value: loss }));
          return [thinned(smoothed(lossPoints(lane))), validations];
        }),
      ),
    [shown],
  );
  return (
    <section class="card wide" aria-label="Loss">
      <h2>
        Loss <small>nats a byte; training smoothed</small>
      </h2>
      {shown.length > 0 ? (
        <Chart lines={lines} data={data} label="Loss over steps" />
      ) : (
        <p class="empty">Falls as the model learns.</p>
      )}
      {shown.map((lane, index) => (
        <Summary key={names[index]} lane={lane} />
      ))}
    </section>
  );
}

/** The curve in words, for those who do not see it. */
function Summary({ lane }: { lane: LaneFigures }) {
  lane.version.value;
  const [first, last] = [lane.steps[0], lane.steps.at(-1)];
  if (!first || !last) return null;
  return (
    <p class="hidden">
      Loss went from {first.loss.toFixed(3)} at step {first.step} to {last.loss.toFixed(3)} at step {last.step}.
    </p>
  );
}
