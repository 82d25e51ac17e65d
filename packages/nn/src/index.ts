export { type AdamwOptions, type AdamwSetup, type AdamwState, adamw, initAdamw } from "./adamw";
export { type InitStyle, linear, linearBias, linearWeight } from "./linear";
export { orthogonal } from "./orthogonal";
export { initSwiglu, type SwigluParameters, swigluLayer } from "./swiglu-layer";
