import { useMemo } from "preact/hooks";
import type { LaneFigures } from "../state/lane-figures";
import { lanes } from "../state/run";
import { Chart } from "./chart";
import { duration, shortNumber } from "./format";
import { laneNames } from "./lane-names";
import { lossPoints } from "./loss-panel";
import { aligned, differences, thinned } from "./series";

/** Two runs beside one another: the difference of their losses with its noise, time and size. */
export function RacePanel() {
  const [first, second] = lanes.value;
  if (!first || !second) return null;
  return <Race first={first} second={second} />;
}

function Race({ first, second }: { first: LaneFigures; second: LaneFigures }) {
  const names = laneNames.value;
  const data = useMemo(
    () => () => {
      second.version.value;
      const all = differences(lossPoints(first), lossPoints(second));
      const line = (of: (point: (typeof all)[number]) => number) =>
        thinned(all.map((point) => ({ step: point.step, value: of(point) })));
      return aligned([
        line(({ value }) => value),
        line(({ value, band }) => value + band),
        line(({ value, band }) => value - band),
        line(() => 0),
      ]);
    },
    [first, second],
  );
  return (
    <section class="card wide" aria-label="Race">
      <h2>
        Race <small>{`${names[0]} minus ${names[1]}: below 0 the first is ahead`}</small>
      </h2>
      <Chart
        label="Difference of the losses over steps"
        height={160}
        data={data}
        bands={[[2, 3]]}
        lines={[
          { label: "difference", colour: "--first", width: 2 },
          { colour: "--band" },
          { colour: "--band" },
          { colour: "--quiet", width: 1 },
        ]}
      />
      <Verdict first={first} second={second} />
      <table>
        <thead>
          <tr>
            <th scope="col">Router</th>
            <th scope="col">Loss</th>
            <th scope="col">Validation</th>
            <th scope="col">Parameters</th>
            <th scope="col">Time</th>
          </tr>
        </thead>
        <tbody>
          {[first, second].map((lane, index) => (
            <Row key={names[index]} name={names[index]!} lane={lane} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** What the difference says, in words. */
function Verdict({ first, second }: { first: LaneFigures; second: LaneFigures }) {
  second.version.value;
  const last = differences(lossPoints(first).slice(-25), lossPoints(second).slice(-25)).at(-1);
  if (!last) return null;
  const [a, b] = laneNames.value;
  const clear = Math.abs(last.value) > last.band;
  return (
    <p>
      {clear
        ? `${last.value < 0 ? a : b} is ahead by ${Math.abs(last.value).toFixed(3)} ± ${last.band.toFixed(3)} nats over the last steps.`
        : `No difference beyond the noise of batches (${last.value.toFixed(3)} ± ${last.band.toFixed(3)} nats).`}{" "}
      <small>One seed: another may turn it around.</small>
    </p>
  );
}

function Row({ name, lane }: { name: string; lane: LaneFigures }) {
  const { latest, validation, ready } = lane;
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>{latest.value?.loss.toFixed(3) ?? "–"}</td>
      <td>{validation.value?.loss.toFixed(3) ?? "–"}</td>
      <td>{ready.value ? shortNumber(ready.value.parameters.total) : "–"}</td>
      <td>{latest.value ? duration(latest.value.seconds) : "–"}</td>
    </tr>
  );
}
