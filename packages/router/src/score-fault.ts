import type { HostArray } from "@webmoe/tensor";

/** What scores must fit. */
export interface ScoreFacts {
  experts: number;
  /** Experts that a token must be left, unless the router chooses by itself. */
  topK?: number;
}

/** What is wrong with the scores [T, E] of some layers, in a line; undefined if nothing is. */
export function scoreFault(layers: HostArray[], { experts, topK = 0 }: ScoreFacts): string | undefined {
  for (const [layer, scores] of layers.entries()) {
    const bad = scores.find((score) => !Number.isFinite(score) && score !== Number.NEGATIVE_INFINITY);
    if (bad !== undefined) return `must be finite, got ${bad} at layer ${layer}`;
    const tokens = scores.length / experts;
    for (let token = 0; token < tokens; token++) {
      const left = scores.subarray(token * experts, (token + 1) * experts).filter(Number.isFinite).length;
      if (left >= topK) continue;
      const shape = `[${tokens}, ${experts}] (tokens, experts)`;
      return `must leave every token ${topK} experts (topK) that are not -Infinity: those of layer ${layer}, ${shape}, leave ${left} to token ${token}`;
    }
  }
  return undefined;
}
