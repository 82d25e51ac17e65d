export { type AdamwOptions, type AdamwSetup, type AdamwState, adamw, initAdamw } from "./adamw";
export { averageParameters } from "./average";
export { type InitStyle, linear, linearBias, linearWeight } from "./linear";
export { newtonSchulz } from "./newton-schulz";
export { initOptimizer, type OptimizerOptions, type OptimizerState, optimize } from "./optimizer";
export { orthogonal } from "./orthogonal";
export { initSwiglu, type SwigluParameters, swigluLayer } from "./swiglu-layer";
