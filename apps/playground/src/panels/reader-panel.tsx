import { lanes } from "../state/run";
import { laneNames } from "./lane-names";
import { TokenLine } from "./token-line";

/** A passage of held-out text and where its tokens go. */
export function ReaderPanel() {
  const shown = lanes.value;
  return (
    <section class="card wide" aria-label="Reader">
      <h2>
        Reader <small>held-out text; each colour is an expert</small>
      </h2>
      {shown.every(({ routing }) => !routing.value) && (
        <p class="empty">
          Letters take the colour of the expert that they go to: watch vowels, spaces and capitals part.
        </p>
      )}
      <div class="lanes">
        {shown.map(({ routing, configuration }, index) => {
          const passage = routing.value?.passage;
          if (!passage) return null;
          const tokens = passage.tokens.map((byte, at) => ({
            byte,
            routes: passage.routes.map((layer) => layer[at]!),
          }));
          return (
            <div key={laneNames.value[index]}>
              {shown.length > 1 && <h3>{laneNames.value[index]}</h3>}
              <TokenLine tokens={tokens} experts={configuration.moe.experts} label="Passage" passage={passage.length} />
            </div>
          );
        })}
      </div>
    </section>
  );
}
