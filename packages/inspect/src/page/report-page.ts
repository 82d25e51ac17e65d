import type { Choices } from "../statistics/choices";
import { expertsOf } from "../statistics/choices";
import { escapeText, inlineJson } from "./markup";
import { gradients, state, weights } from "./parameter-sections";
import { readerScript } from "./reader-script";
import { layerName, type ReportFigures } from "./report-figures";
import { entropies, glance, information, loads, overview } from "./routing-sections";
import { style } from "./style";
import { readerSection, specialisation } from "./token-sections";

/** A text whose tokens can be followed through the layers. */
export interface ReaderText {
  /** The text of each token. */
  texts: string[];
  /** Tokens of a sequence; the next one begins anew. */
  sequence: number;
  /** What each MoE layer chose for every token. */
  layers: (Choices & {
    /** The router's probabilities, [T, E]. */
    probabilities: Float32Array;
  })[];
}

/** What a report is made of. */
export interface ReportInput {
  /** The heading of the page. */
  title: string;
  /** What was inspected, in a line or two. */
  subtitle: string;
  /** What is shown as numbers and plots. */
  figures: ReportFigures;
  /** A text to read token by token; without one the page has none. */
  reader: ReaderText;
}

/** The report as one HTML file: inline data, style and script, and a policy that forbids everything else. */
export async function reportPage({ title, subtitle, figures, reader }: ReportInput): Promise<string> {
  const policy = `default-src 'none'; style-src '${await digest(style)}'; script-src '${await digest(readerScript)}'; base-uri 'none'; form-action 'none'`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeText(title)}</title>
<style>${style}</style>
</head>
<body>
<header>
<h1>${escapeText(title)}</h1>
<p class="soft">${escapeText(subtitle)}</p>
${glance(figures)}
${notes(figures)}
</header>
<main>
${[overview(figures), loads(figures), entropies(figures), information(figures), readerSection(figures), specialisation(figures), state(figures), gradients(figures), weights(figures)].join("\n")}
</main>
<script type="application/json" id="reader">${inlineJson(readerData(figures, reader))}</script>
<script>${readerScript}</script>
</body>
</html>
`;
}

/** The hash of an inline script or style for a content security policy. */
async function digest(text: string): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return `sha256-${btoa(String.fromCharCode(...bytes))}`;
}

function notes({ notes }: ReportFigures): string {
  if (notes.length === 0) return "";
  return `<div class="notes"><ul>${notes.map((note) => `<li>${escapeText(note)}</li>`).join("")}</ul></div>`;
}

function readerData({ layers, experts }: ReportFigures, { texts, sequence, layers: seen }: ReaderText) {
  const count = texts.length;
  return {
    texts,
    sequence,
    layers: seen.map((choices, index) => {
      const tokens = choices.probabilities.length / experts;
      const each = Array.from({ length: count }, (_, t) => t);
      return {
        name: layerName(layers[index]!),
        chosen: each.map((t) => expertsOf(choices, tokens, t).map(([e, weight]) => [e, Number(weight.toFixed(3))])),
        shares: each.map((t) =>
          Array.from(choices.probabilities.subarray(t * experts, (t + 1) * experts), (p) => Math.round(1000 * p)),
        ),
      };
    }),
  };
}
