import { describe, test } from "vitest";
import { expectClose, kernelTargets, runKernel, testNumbers } from "../testing";
import { type GateActivation, gatedBackward, gatedForward } from "./gated";

const activations: Record<GateActivation, (x: number) => number> = {
  silu: (x) => x / (1 + Math.exp(-x)),
  gelu: (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  relu: (x) => Math.max(0, x),
};

describe.each(kernelTargets.slice(0, 2))("gated rows, $name", ({ target }) => {
  const names = Object.keys(activations) as GateActivation[];
  const sizes = [
    [1, 1],
    [7, 5],
    [33, 12],
  ] as const;
  test.each(names.flatMap((name) => sizes.map(([rows, hidden]) => [name, rows, hidden] as const)))(
    "%s, %i rows of %i",
    async (activation, rows, hidden) => {
      const f = activations[activation];
      const x = testNumbers(rows * 2 * hidden).map((value) => 3 * value);
      const dy = testNumbers(rows * hidden, 2);
      const y = new Float64Array(dy.length);
      const dx = new Float64Array(x.length);
      dy.forEach((slope, i) => {
        const at = Math.floor(i / hidden) * hidden + i;
        const [g, up] = [x[at]!, x[at + hidden]!];
        y[i] = f(g) * up;
        // Central difference, in double precision.
        dx[at] = (slope * up * (f(g + 1e-6) - f(g - 1e-6))) / 2e-6;
        dx[at + hidden] = slope * f(g);
      });
      const options = { activation };
      expectClose((await runKernel(target, gatedForward, { x, y: y.length }, { rows, hidden }, options)).y, y);
      const backward = { x, dy, dx: dx.length };
      expectClose((await runKernel(target, gatedBackward, backward, { rows, hidden }, options)).dx, dx);
    },
  );
});
