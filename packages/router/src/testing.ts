// For tests of routers: `@webmoe/router/testing`.

import { testGpu } from "@webmoe/webgpu/testing";
import { checkRouter as checkOn, type RouterCheck } from "./check-router";
import type { AnyRouter } from "./router";

export { compareWithReference, denseWeights, type ReferenceOptions } from "./reference";
export { paperShape, routerSize } from "./router-size";

/** Prove that a router keeps its contract, on the device that the tests of a file share unless another is given. */
export async function checkRouter(router: AnyRouter, options: Partial<RouterCheck> = {}): Promise<void> {
  await checkOn(router, { ...options, gpu: options.gpu ?? (await testGpu()) });
}
