import type { LaneFigures } from "../state/lane-figures";
import { lanes } from "../state/run";
import { laneNames } from "./lane-names";

/** How sure the router is, which experts are dead, and what layers know of one another. */
export function RoutingPanel() {
  const shown = lanes.value;
  return (
    <section class={shown.length > 1 ? "card wide" : "card"} aria-label="Routing">
      <h2>Routing</h2>
      {shown.length === 0 && (
        <p class="empty">How sure the router is, and whether layers agree on where a token goes.</p>
      )}
      <div class="lanes">
        {shown.map((lane, index) => (
          <div key={laneNames.value[index]}>
            {shown.length > 1 && <h3>{laneNames.value[index]}</h3>}
            <Entropy lane={lane} />
            <Information lane={lane} />
          </div>
        ))}
      </div>
    </section>
  );
}

function Entropy({ lane }: { lane: LaneFigures }) {
  const step = lane.latest.value;
  if (!step) return null;
  const most = Math.log(Math.max(2, lane.configuration.moe.experts));
  const dead = lane.routing.value?.dead ?? [];
  return (
    <table>
      <caption class="hidden">Router entropy and dead experts of each layer</caption>
      <thead>
        <tr>
          <th scope="col">Layer</th>
          <th scope="col" title="Mean entropy of the router's probabilities, as a share of that of an even choice">
            Entropy
          </th>
          <th scope="col" title="Experts that no token of the held-out passage goes to">
            Dead
          </th>
        </tr>
      </thead>
      <tbody>
        {step.entropy.map((entropy, layer) => (
          <tr key={String(layer)}>
            <th scope="row">{layer}</th>
            <td>
              <meter min={0} max={1} value={entropy / most} aria-hidden="true" /> {(entropy / most).toFixed(2)}
            </td>
            <td class={dead[layer]?.length ? "fault" : ""}>{dead[layer]?.length ? dead[layer].join(", ") : "none"}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Mutual information between the experts of every two layers. */
function Information({ lane }: { lane: LaneFigures }) {
  const matrix = lane.routing.value?.information;
  if (!matrix || matrix.length < 2) return null;
  return (
    <>
      <h3 id="information">
        Cross-layer information{" "}
        <small>how much a layer's expert tells of another layer's, from 0 to 1; on the diagonal of itself</small>
      </h3>
      <table class="matrix" aria-labelledby="information">
        <thead>
          <tr>
            <td />
            {matrix.map((_, layer) => (
              <th key={String(layer)} scope="col">
                {layer}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {matrix.map((row, layer) => (
            <tr key={String(layer)}>
              <th scope="row">{layer}</th>
              {row.map((value, other) => (
                <td key={String(other)} class="cell" style={{ "--part": value.toFixed(3) }}>
                  {value.toFixed(2)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
