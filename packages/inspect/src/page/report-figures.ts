import type { LayerStatistics, RoutingStatistics } from "../statistics/routing-statistics";

/** Norms of the gradient of the whole training loss and of two of its parts. */
export type Norms = { whole: number; languageModel: number; balance: number };

/** The figures that the report shows. */
export interface ReportFigures extends Omit<RoutingStatistics, "layers"> {
  /** The name of the router. */
  router: string;
  /** Experts of each MoE layer. */
  experts: number;
  /** Experts that a token may go to in a layer. */
  topK: number;
  /** Tokens of a batch, over which loads are taken. */
  batchTokens: number;
  /** The figures of each MoE layer, in their order. */
  layers: (LayerStatistics & {
    /** The transformer block it is in, from 0. */
    block: number;
    /** How alike the weights of the experts are, as cosines between them. */
    similarity: {
      /** Over all pairs, each expert with itself among them. */
      whole: number;
      /** Over pairs of different experts. */
      offDiagonal: number;
    };
    /** Norm and standard deviation of each of the layer's router weights, by name. */
    router: Record<string, { norm: number; std: number }>;
    /** Gradients that reach the layer's own part of the router. */
    gradient?: Norms;
  })[];
  /** Gradients that reach the router as a whole. */
  gradient?: {
    /** Of all that the router learns. */
    router: Norms;
    /** Of what all layers share, where there is such a thing. */
    shared?: Norms;
  };
  /** Sentences on what stands out. */
  notes: string[];
}

/** What a layer is called. */
export const layerName = ({ block }: { block: number }) => `layer ${block}`;
