import { useSignal } from "@preact/signals";
import type { TokenRoute } from "@webmoe/trainer";
import { useId } from "preact/hooks";
import { expertStyle } from "./expert-colour";
import { saidByte, shownByte } from "./token-text";

/** A token and its route through the layers. */
export interface RoutedToken {
  byte: number;
  /** Of each layer. */
  routes: TokenRoute[];
}

interface TokenLineProps {
  tokens: RoutedToken[];
  experts: number;
  label: string;
  /** Tokens after which another passage begins. */
  passage?: number;
  /** What stands before the first token. */
  lead?: string;
}

/** Tokens coloured by their expert in one layer; the one that is pointed at shows its whole path. */
export function TokenLine({ tokens, experts, label, passage, lead }: TokenLineProps) {
  const id = useId();
  const layer = useSignal(0);
  const chosen = useSignal<number | undefined>(undefined);
  const layers = tokens[0]?.routes.length ?? 0;
  const index = Math.min(layer.value, Math.max(0, layers - 1));
  const picked = chosen.value === undefined ? undefined : tokens[chosen.value];
  const move = (event: KeyboardEvent) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    chosen.value = Math.min(tokens.length - 1, Math.max(0, (chosen.value ?? (by > 0 ? -1 : 0)) + by));
  };
  const over = (event: Event) => {
    const at = (event.target as HTMLElement).dataset.at;
    if (at !== undefined) chosen.value = Number(at);
  };
  return (
    <div class="tokens">
      {layers > 1 && (
        <div class="row" role="radiogroup" aria-label="Colour by layer">
          <small>colour by layer</small>
          {Array.from({ length: layers }, (_, number) => (
            <label key={String(number)} class="chip">
              <input
                type="radio"
                checked={number === index}
                onChange={() => {
                  layer.value = number;
                }}
              />
              {number}
            </label>
          ))}
        </div>
      )}
      <div
        class="line"
        role="listbox"
        tabIndex={0}
        aria-activedescendant={picked && `${id}-chosen`}
        aria-label={`${label}: arrow keys walk through the tokens`}
        onKeyDown={move}
        onPointerOver={over}
        onPointerDown={over}
      >
        {lead && <span class="quiet lead">{lead}</span>}
        {tokens.map(({ byte, routes }, at) => (
          <span
            key={String(at)}
            id={at === chosen.value ? `${id}-chosen` : undefined}
            class={at === chosen.value ? "token chosen" : "token"}
            role="option"
            aria-label={saidByte(byte)}
            aria-selected={at === chosen.value}
            tabIndex={-1}
            data-at={at}
            style={expertStyle(routes[index]?.experts[0])}
          >
            {shownByte(byte)}
            {byte === 10 && <br />}
            {passage && (at + 1) % passage === 0 && <span class="cut" />}
            {byte === 32 && <wbr />}
          </span>
        ))}
      </div>
      <div class="path" aria-live="polite">
        {picked ? (
          <Path token={picked} experts={experts} />
        ) : (
          <small>Point at a letter to see its path through the experts.</small>
        )}
      </div>
    </div>
  );
}

function Path({ token: { byte, routes }, experts }: { token: RoutedToken; experts: number }) {
  const said = routes
    .map(({ experts }, layer) => `layer ${layer}: expert ${experts.join(" and ") || "none"}`)
    .join("; ");
  return (
    <figure aria-label={`${saidByte(byte)}. ${said}`}>
      <figcaption>
        <b>{shownByte(byte)}</b>
      </figcaption>
      {routes.map((route, layer) => (
        <div class="stage" key={String(layer)}>
          <small>layer {layer}</small>
          <div class="experts">
            {Array.from({ length: experts }, (_, expert) => {
              const at = route.experts.indexOf(expert);
              return (
                <span
                  key={String(expert)}
                  class={at < 0 ? "expert" : "expert used"}
                  style={expertStyle(expert)}
                  title={at < 0 ? `expert ${expert}` : `expert ${expert}, weight ${route.weights[at]!.toFixed(2)}`}
                >
                  {at < 0 ? "" : expert}
                </span>
              );
            })}
          </div>
        </div>
      ))}
    </figure>
  );
}
