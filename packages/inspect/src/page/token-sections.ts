import { heatMap } from "./heat-map";
import { element } from "./markup";
import { layerName, type ReportFigures } from "./report-figures";
import { percent, section, table } from "./section";

/** A text to read token by token; the script fills it. */
export function readerSection({ layers }: ReportFigures): string {
  return section(
    "Reader",
    "Held-out text, each token in the colour of its first expert. Choose a token, with a click or the arrow keys, to see its path.",
    layerChoice("layer", "Colour by", layers),
    `<div class="reader"><div class="text" id="text" role="listbox" aria-label="Tokens"></div><div class="path" id="path" aria-live="polite"></div></div>`,
  );
}

/** Classes of tokens and experts, layer by layer, and the favourites of each expert. */
export function specialisation({ layers, classNames, classCounts, experts, tokens }: ReportFigures): string {
  const present = classNames.flatMap((name, index) => (classCounts[index]! > 0 ? [{ name, index }] : []));
  const maps = layers.map((layer, l) => {
    const shares = present.map(({ index }) => {
      const row = layer.classes[index]!;
      const total = Math.max(
        1,
        row.reduce((sum, count) => sum + count, 0),
      );
      return row.map((count) => count / total);
    });
    const plot = heatMap({
      label: `Where classes of tokens go in ${layerName(layer)}`,
      rows: present.map(({ name, index }) => `${name} ${percent(classCounts[index]! / tokens, 0)}`),
      columns: Array.from({ length: experts }, (_, e) => String(e)),
      values: shares,
      full: Math.min(1, 3 / experts),
      title: (row, column, value) => `${present[row]!.name}: ${percent(value)} of assignments to expert ${column}`,
    });
    const favourites = table(
      ["expert", "tokens it gets most above its share"],
      layer.favourites.map((all, expert) => [
        String(expert),
        all.map(({ text, lift }) => `${JSON.stringify(text)} ×${lift.toFixed(1)}`).join("  ") || "–",
      ]),
      [1],
    );
    return `<div data-of="classes" data-layer="${l}"${l === 0 ? "" : " hidden"}>${plot}<p></p>${favourites}</div>`;
  });
  return section(
    "Specialisation",
    "For each class of tokens, with its share of the text, where its assignments go.",
    layerChoice("classes", "Show", layers, "classes"),
    ...maps,
  );
}

function layerChoice(id: string, label: string, layers: ReportFigures["layers"], shows?: string): string {
  const options = layers.map((layer, index) => element("option", { value: index }, layerName(layer)));
  return `<p><label>${label} ${element("select", { id, "data-shows": shows }, ...options)}</label></p>`;
}
