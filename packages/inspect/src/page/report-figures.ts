import type { LayerStatistics, RoutingStatistics } from "../statistics/routing-statistics";

/** Norms of the gradient of the whole training loss and of two of its parts. */
export type Norms = { whole: number; languageModel: number; balance: number };

/** The figures that the report shows. */
export interface ReportFigures extends Omit<RoutingStatistics, "layers"> {
  router: string;
  experts: number;
  topK: number;
  batchTokens: number;
  layers: (LayerStatistics & {
    block: number;
    similarity: { whole: number; offDiagonal: number };
    router: Record<string, { norm: number; std: number }>;
    gradient?: Norms;
  })[];
  gradient?: { router: Norms; shared?: Norms };
  notes: string[];
}

/** What a layer is called. */
export const layerName = ({ block }: { block: number }) => `layer ${block}`;
