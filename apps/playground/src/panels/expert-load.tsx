import { computed } from "@preact/signals";
import { steps } from "../training/run";

/** Steps whose loads are added up. */
const RECENT = 20;

/** Share of each layer's assignments that each expert received in the last steps; 0 where there are none. */
const shares = computed(() => {
  const recent = steps.value.slice(-RECENT).map(({ load }) => load);
  return recent[0]?.map((counts, layer) => {
    const sums = counts.map((_, expert) => recent.reduce((sum, load) => sum + load[layer]![expert]!, 0));
    const total = Math.max(
      1,
      sums.reduce((a, b) => a + b, 0),
    );
    return sums.map((sum) => sum / total);
  });
});

/** How evenly the experts are used: a bar for each, full at twice an even share. */
export function ExpertLoad() {
  const layers = shares.value;
  return (
    <section class="card" aria-label="Expert load">
      <h2>Expert load</h2>
      {layers ? (
        <>
          {layers.map((experts, layer) => (
            <div class="layer" key={String(layer)}>
              <span>layer {layer}</span>
              <div class="bars">
                {experts.map((share, expert) => (
                  <meter
                    key={String(expert)}
                    min={0}
                    max={2 / experts.length}
                    value={share}
                    aria-label={`Layer ${layer}, expert ${expert}: ${percent(share)}`}
                    title={`expert ${expert}: ${percent(share)}`}
                  />
                ))}
              </div>
            </div>
          ))}
          <p class="quiet">
            Share of the last {Math.min(RECENT, steps.value.length)} steps' assignments; the middle of a bar is an even
            share.
          </p>
        </>
      ) : (
        <p class="quiet">Shows how evenly tokens spread over the experts of each layer.</p>
      )}
    </section>
  );
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
