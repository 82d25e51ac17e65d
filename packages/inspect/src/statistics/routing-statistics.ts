import { type ChoiceInformation, choiceInformation } from "./choice-information";
import { choiceChange, expertsOf, firstChoices } from "./choices";
import { type GateFigures, gateFigures } from "./gate-figures";
import { dropRatio, type LoadFigures, loadFigures } from "./load";
import type { LayerObservation, Observation } from "./observation";
import { publishedInformation } from "./published-information";
import { histogram, mean, median } from "./summary";
import { TOKEN_CLASSES, tokenClass } from "./token-classes";

/** Parts of the range of the entropy, from the surest token of all layers to ln E, in its histogram. */
export const ENTROPY_BINS = 48;

/** Tokens an expert got, and how many times their even share. */
export interface Favourite {
  text: string;
  count: number;
  lift: number;
}

/** What zeros in place of the state do to a layer's choice. */
export interface StateEffect {
  /** Share of tokens whose first choice changes, and share of all assignments that do. */
  first: number;
  assignments: number;
  /** Mean over tokens of half the sum of the changes of probabilities, from 0 to 1. */
  distance: number;
}

/** The figures of one MoE layer. */
export interface LayerStatistics extends LoadFigures {
  /** Assignments of each expert, [E]. */
  load: number[];
  /** Experts a token, on average. */
  expertsPerToken: number;
  /** Share of assignments above an even share in each batch: what capacity factor 1 would drop. */
  dropRatio: number;
  /** Of the tokens' entropies in nats: mean, median, and counts in equal parts from `surest` to ln E. */
  entropy: { mean: number; median: number; histogram: number[] };
  /** Medians over tokens; inner balance is null where it is infinite. */
  innerBalance: number | null;
  outerBalance: number;
  /** Assignments of each class of tokens to each expert, [classes, E]. */
  classes: number[][];
  /** Each expert's tokens with the largest lift, [E]. */
  favourites: Favourite[][];
  /** Mean norms of what the layer hands on, by name. */
  stateNorms: Record<string, number>;
  stateEffect?: StateEffect;
}

/** What the choices of layers tell about each other, in nats; matrices [L, L]. */
export interface Information {
  /** As published: see `publishedInformation`. */
  published: number[][];
  /** Of first choices: see `choiceInformation`. The diagonal is a layer with itself, the entropy of its choice. */
  choices: { [part in keyof ChoiceInformation]: number[][] };
}

/** Statistics of a router over batches of tokens. */
export interface RoutingStatistics {
  tokens: number;
  /** Mean cross entropy in nats a token. */
  loss: number;
  classNames: string[];
  /** How many of the tokens are of each class. */
  classCounts: number[];
  /** The lowest entropy of a token in any layer, in nats: where the histograms begin. */
  surest: number;
  layers: LayerStatistics[];
  information: Information;
}

/** How to count. */
export interface StatisticsOptions {
  experts: number;
  topK: number;
  /** The text of a token. */
  textOf(token: number): string;
  /** Permutations of the null of the mutual information; default 100. */
  permutations?: number;
}

/** The statistics of observations, all of one model. */
export function routingStatistics(
  observations: Observation[],
  { experts, topK, textOf, permutations }: StatisticsOptions,
): RoutingStatistics {
  const tokens = Uint32Array.from(observations.flatMap((observation) => [...observation.tokens]));
  const kinds = new Map([...new Set(tokens)].map((token) => [token, TOKEN_CLASSES.indexOf(tokenClass(textOf(token)))]));
  const classCounts = TOKEN_CLASSES.map(() => 0);
  for (const token of tokens) classCounts[kinds.get(token)!]!++;
  const depth = observations[0]?.layers.length ?? 0;
  const each = Array.from({ length: depth }, (_, layer) => observations.map(({ layers }) => layers[layer]!));
  const joined = each.map((parts) => concatenate(parts.map((part) => part.probabilities)));
  const gates = joined.map((probabilities) => gateFigures(probabilities, experts, topK));
  const highest = Math.log(Math.max(2, experts));
  const lowest = gates.reduce((least, { entropy }) => entropy.reduce((a, b) => Math.min(a, b), least), highest);
  // Of equal entropies, as of a router that does not choose, the whole range is shown.
  const surest = highest - lowest > 1e-4 ? Math.max(0, lowest) : 0;
  const first = each.map((parts) =>
    Int32Array.from(parts.flatMap((part) => [...firstChoices(part, part.probabilities.length / experts)])),
  );
  return {
    tokens: tokens.length,
    loss: mean(observations.map(({ loss }) => loss)),
    classNames: [...TOKEN_CLASSES],
    classCounts,
    surest,
    layers: each.map((parts, layer) => layerStatistics(parts, gates[layer]!)),
    information: { published: publishedInformation(joined, experts), choices: information(first) },
  };

  function layerStatistics(parts: LayerObservation[], gates: GateFigures): LayerStatistics {
    const load = Array.from({ length: experts }, (_, e) => parts.reduce((sum, part) => sum + part.load[e]!, 0));
    const inner = median(gates.inner);
    const names = Object.keys(parts[0]!.stateNorms);
    return {
      ...loadFigures(load, topK),
      load,
      expertsPerToken: load.reduce((sum, count) => sum + count, 0) / tokens.length,
      dropRatio: mean(parts.map((part) => dropRatio(part.load))),
      entropy: {
        mean: mean(gates.entropy),
        median: median(gates.entropy),
        histogram: histogram(gates.entropy, ENTROPY_BINS, surest, highest),
      },
      innerBalance: Number.isFinite(inner) ? inner : null,
      outerBalance: median(gates.outer),
      ...specialisation(parts),
      stateNorms: Object.fromEntries(names.map((name) => [name, mean(parts.map((part) => part.stateNorms[name]!))])),
      ...(parts[0]!.zeroed && { stateEffect: stateEffect(parts) }),
    };
  }

  function specialisation(parts: LayerObservation[]) {
    const classes = TOKEN_CLASSES.map(() => new Array<number>(experts).fill(0));
    const counts = new Map<number, number[]>();
    let at = 0;
    for (const part of parts) {
      const length = part.probabilities.length / experts;
      for (let t = 0; t < length; t++) {
        const token = tokens[at++]!;
        const row = counts.get(token) ?? new Array<number>(experts).fill(0);
        counts.set(token, row);
        for (const [expert] of expertsOf(part, length, t)) {
          row[expert]!++;
          classes[kinds.get(token)!]![expert]!++;
        }
      }
    }
    return { classes, favourites: favourites(counts) };
  }

  /** Of tokens seen often enough, those that went to an expert most above its share of all assignments. */
  function favourites(counts: Map<number, number[]>): Favourite[][] {
    const sums = [...counts].map(([token, row]) => ({ token, row, all: row.reduce((a, b) => a + b, 0) }));
    const total = sums.reduce((sum, { all }) => sum + all, 0);
    const often = sums.filter(({ all }) => all >= Math.max(4, total / 2000));
    return Array.from({ length: experts }, (_, expert) => {
      const share = sums.reduce((sum, { row }) => sum + row[expert]!, 0) / total;
      return often
        .map(({ token, row, all }) => ({
          text: textOf(token),
          count: row[expert]!,
          lift: row[expert]! / all / share,
        }))
        .filter(({ lift }) => lift > 1.1)
        .sort((a, b) => b.lift - a.lift || b.count - a.count)
        .slice(0, 8);
    });
  }

  function stateEffect(parts: LayerObservation[]): StateEffect {
    const changes = parts.map((part) => {
      const length = part.probabilities.length / experts;
      const moved = part.probabilities.reduce((sum, p, i) => sum + Math.abs(p - part.zeroed!.probabilities[i]!), 0);
      return { ...choiceChange(part, part.zeroed!, length), distance: moved / 2 / length };
    });
    const of = (name: keyof StateEffect) => mean(changes.map((change) => change[name]));
    return { first: of("first"), assignments: of("assignments"), distance: of("distance") };
  }

  function information(first: Int32Array[]): Information["choices"] {
    const empty = () => first.map(() => first.map(() => 0));
    const matrices = { raw: empty(), chance: empty(), spread: empty(), corrected: empty() };
    for (let i = 0; i < first.length; i++) {
      for (let j = i; j < first.length; j++) {
        const found = choiceInformation(first[i]!, first[j]!, experts, {
          permutations,
          seed: 1 + i * first.length + j,
        });
        for (const part of ["raw", "chance", "spread", "corrected"] as const) {
          matrices[part][i]![j] = found[part];
          matrices[part][j]![i] = found[part];
        }
      }
    }
    return matrices;
  }
}

function concatenate(parts: Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
