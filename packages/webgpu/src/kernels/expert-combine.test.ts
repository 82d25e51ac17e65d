import { describe, test } from "vitest";
import { expectClose, kernelTargets, runKernel, testNumbers } from "../testing";
import { combine, combineBackward } from "./expert-combine";
import { expertSortSizes } from "./expert-sort";
import { sortByLoop } from "./expert-sort-by-loop";

const none = 0xffffffff;

describe.each(kernelTargets)("expert combine, $name", ({ target }) => {
  test.each([
    ["one token", 1, 1, 1, 1, () => 0],
    ["odd sizes", 13, 2, 3, 7, (a: number) => (a * 5) % 3],
    ["all on one expert", 40, 2, 4, 33, () => 3],
    ["a row of more columns than a workgroup", 9, 3, 5, 300, (a: number) => a % 5],
    ["some without expert", 21, 2, 3, 10, (a: number) => (a % 4 < 3 ? a % 4 : none)],
  ])("%s", async (_name, tokens, topK, experts, dim, expertOf) => {
    const assignments = tokens * topK;
    const expert = Uint32Array.from({ length: assignments }, (_, a) => expertOf(a));
    const token = Uint32Array.from({ length: assignments }, (_, a) => Math.floor(a / topK));
    const sortSizes = expertSortSizes(assignments, experts, target);
    const { rows } = sortSizes;
    const { slot, source } = sortByLoop(expert, experts, sortSizes);
    const y = testNumbers(rows * dim);
    const weight = testNumbers(assignments, 2);
    const dout = testNumbers(tokens * dim, 3);

    const out = new Float32Array(tokens * dim);
    const dy = new Float32Array(rows * dim);
    const dweight = new Float32Array(assignments);
    for (let a = 0; a < assignments; a++) {
      if (slot[a] === none) continue;
      for (let d = 0; d < dim; d++) {
        const at = slot[a]! * dim + d;
        const of = token[a]! * dim + d;
        out[of]! += weight[a]! * y[at]!;
        dy[at] = weight[a]! * dout[of]!;
        dweight[a]! += dout[of]! * y[at]!;
      }
    }

    const sizes = { tokens, topK, dim };
    expectClose((await runKernel(target, combine, { y, slot, weight, out: out.length }, sizes)).out, out);
    const given = { dout, y, source, slot, token, weight, dy: dy.length, dweight: assignments };
    const gradient = await runKernel(target, combineBackward, given, { rows, assignments, dim });
    expectClose(gradient.dy, dy);
    expectClose(gradient.dweight, dweight);
  });
});
