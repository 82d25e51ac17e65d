import type { AnyRouter } from "@webmoe/router";
import { linearRouter } from "@webmoe/router-linear";
import { recurrentRouter } from "@webmoe/router-recurrent";
import { xmoeRouter } from "@webmoe/router-xmoe";

/** A router that the page offers. */
export interface RouterChoice {
  title: string;
  /** One sentence on how it decides. */
  about: string;
  /** Makes it, with the width that the preset says for the recurrent state. */
  make(width: number): AnyRouter;
}

/** What the page offers, by the name in its address. */
export const routers = {
  recurrent: {
    title: "Recurrent (GRU)",
    about: "A GRU that all layers share carries each token's routing state from one layer to the next.",
    make: (dim) => recurrentRouter({ dim }),
  },
  linear: {
    title: "Linear",
    about: "One linear gate per layer; no layer knows how another routed the token.",
    make: () => linearRouter(),
  },
  xmoe: {
    title: "XMoE (cosine)",
    about: "Cosine similarity with the experts' embeddings in a space of few dimensions.",
    make: () => xmoeRouter(),
  },
} satisfies Record<string, RouterChoice>;

export type RouterName = keyof typeof routers;
