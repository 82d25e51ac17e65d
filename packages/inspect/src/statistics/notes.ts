import type { LayerStatistics } from "./routing-statistics";

/** What the notes are made from. */
export interface NotedFigures {
  router: string;
  experts: number;
  topK: number;
  layers: LayerStatistics[];
  gradient?: object;
  laterTokens: number;
}

/** Sentences on what does not apply to a router and what to keep in mind, from what was seen of it rather than from its name. */
export function notesOn({ router, experts, topK, layers, gradient, laterTokens }: NotedFigures): string[] {
  const notes: string[] = [];
  const counts = layers.map((layer) => layer.expertsPerToken);
  if (laterTokens > 0) {
    notes.push(
      `${router} looks at later tokens: ${percent(laterTokens)} of the assignments of a sequence's first half change with its second half. ` +
        "The loss here is not that of a model that can write, and the router is unfit for token-by-token sampling.",
    );
  }
  if (counts.every((count) => count === experts)) {
    notes.push(
      "Every token goes to every expert: there is no choice. Entropy, balance, drop ratio and mutual information are those of even shares and say nothing.",
    );
  } else if (counts.some((count) => Math.abs(count - topK) > 1e-6)) {
    notes.push(
      `Tokens go to varying numbers of experts (${counts.map((count) => count.toFixed(2)).join(", ")} on average, layer by layer); ` +
        `outer balance is the sum of the ${topK} largest probabilities all the same.`,
    );
  }
  if (layers.some((layer) => layer.innerBalance === null)) {
    notes.push("Inner balance does not apply where the second probability of most tokens is 0.");
  }
  if (layers.length > 1 && !layers.some((layer) => layer.stateEffect)) {
    notes.push(
      `${router} hands nothing from layer to layer: state norms and the effect of zeroing the state do not apply.`,
    );
  }
  if (!gradient) notes.push(`${router} learns nothing: gradient and weight norms of the router do not apply.`);
  if (layers.length === 1) notes.push("With one MoE layer there is no information between layers.");
  return notes;
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
