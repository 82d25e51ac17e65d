export { type Inspection, type InspectOptions, inspectModel } from "./inspect-model";
export type { ReportFigures } from "./page/report-figures";
export { type ReaderText, type ReportInput, reportPage } from "./page/report-page";
export type { ProbedBatch, ProbedModel } from "./probe/probed-model";
export { COLLAPSE_STEPS, type CollapseWatch, collapseWatch } from "./statistics/collapse-watch";
export { dropRatio, type LoadFigures, loadFigures } from "./statistics/load";
