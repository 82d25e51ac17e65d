import type { HostArray } from "@webmoe/tensor";
import type { AnyRouter, RouterShape } from "./router";
import { scoreFault } from "./score-fault";

/** What a router makes of a batch. */
export interface AllScores {
  /** [T, E] of each layer. */
  scores: HostArray[];
  /** Whether the first layer handed something on. */
  carries: boolean;
}

/** How a router is judged; every promise that is broken is an error that names the router. */
export class RouterJudge {
  /**
   * @param tolerance Largest difference between two ways to the same score, relative to the larger of 1 and it.
   * @param idle Paths of learned tensors whose gradient is zero on purpose.
   */
  constructor(
    readonly router: AnyRouter,
    readonly shape: RouterShape,
    readonly tolerance: number,
    readonly idle: string[],
  ) {}

  fail(what: string): never {
    throw new Error(`checkRouter(${this.router.name}): ${what}`);
  }

  /** Run code of the router; what it throws says where. */
  attempt<T>(what: string, body: () => T): T {
    try {
      return body();
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      throw message.startsWith("checkRouter(")
        ? error
        : new Error(`checkRouter(${this.router.name}): ${what} got: ${message}`, { cause: error });
    }
  }

  /** Numbers alone, no infinity. */
  finite(what: string, layers: HostArray[]): void {
    layers.forEach((scores, layer) => {
      const bad = scores.findIndex((value) => !Number.isFinite(value));
      if (bad >= 0) this.fail(`${what} must be finite, got ${scores[bad]} at layer ${layer}`);
    });
  }

  /** Numbers that rule out no more experts than a token can do without. */
  usable(what: string, layers: HostArray[]): void {
    const { experts, topK } = this.shape;
    const fault = scoreFault(layers, { experts, topK: this.router.select ? undefined : topK });
    if (fault) this.fail(`${what} ${fault}`);
  }

  /** Equal within the tolerance. */
  same(what: string, actual: HostArray[], expected: HostArray[]): void {
    actual.forEach((scores, layer) => {
      const bad = scores.findIndex((value, i) => !this.close(value, expected[layer]![i]!));
      if (bad < 0) return;
      const token = Math.floor(bad / this.shape.experts);
      this.fail(`${what}: token ${token} of layer ${layer} scores ${scores[bad]}, expected ${expected[layer]![bad]}`);
    });
  }

  /** Later layers must see a change of the first layer's tokens if it hands something on, and only then. */
  carryFlows(before: AllScores, after: AllScores): void {
    if (before.scores.length < 2) return;
    const seen = before.scores.slice(1).some((scores, index) => {
      const shifted = after.scores[index + 1]!;
      return scores.some((value, i) => !this.close(value, shifted[i]!));
    });
    if (before.carries && !seen)
      this.fail("the carry must flow: no later layer's scores depend on what layer 0 returned");
    if (!before.carries && seen)
      this.fail("later layers depend on layer 0, which returned no carry: hand it on as `carry`");
  }

  /** Gradients are numbers, and where they must reach every learned tensor, none is all zeros. */
  gradients(byPath: [path: string, gradient: HostArray][], promise: "reach" | "be finite"): void {
    for (const [path, gradient] of byPath) {
      if (!gradient.every(Number.isFinite)) this.fail(`the gradient of ${path} must be finite`);
      if (promise === "reach" && !this.idle.includes(path) && gradient.every((value) => value === 0)) {
        this.fail(`the gradient must reach every learned tensor, but that of ${path} is all zeros`);
      }
    }
  }

  private close(a: number, b: number): boolean {
    return a === b || Math.abs(a - b) <= this.tolerance * Math.max(1, Math.abs(b));
  }
}
