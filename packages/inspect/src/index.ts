export { COLLAPSE_STEPS, type CollapseWatch, collapseWatch } from "./statistics/collapse-watch";
export { dropRatio, type LoadFigures, loadFigures } from "./statistics/load";
