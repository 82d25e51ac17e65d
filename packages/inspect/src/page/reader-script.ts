/**
 * The script of the report: tokens coloured by the first expert of a layer, and the path of the token that is chosen. Arrow keys
 * move from token to token. It reads the JSON of the element `reader`: texts of tokens, and of every layer the chosen experts
 * with their weights and all probabilities in thousandths.
 */
export const readerScript = /* js */ `
const data = JSON.parse(document.getElementById("reader").textContent);
const text = document.getElementById("text");
const path = document.getElementById("path");
const layer = document.getElementById("layer");
const colour = (expert) => "hsl(" + ((expert * 137.508) % 360).toFixed(0) + " 55% var(--lightness))";
const spans = data.texts.map((token, index) => {
  const span = document.createElement("span");
  span.className = "token";
  span.textContent = token;
  span.setAttribute("role", "option");
  span.tabIndex = index === 0 ? 0 : -1;
  span.addEventListener("click", () => choose(index));
  if (index > 0 && index % data.sequence === 0) text.append(document.createElement("hr"));
  text.append(span);
  return span;
});
function paint() {
  const chosen = data.layers[layer.value].chosen;
  spans.forEach((span, index) => {
    const best = chosen[index].slice().sort((a, b) => b[1] - a[1])[0];
    span.style.backgroundColor = best ? colour(best[0]) : "transparent";
    span.title = best ? "expert " + best[0] + ", " + best[1].toFixed(2) : "no expert";
  });
}
function node(name, className, content) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (content !== undefined) made.textContent = content;
  return made;
}
function choose(index, focus = true) {
  spans.forEach((span, at) => {
    span.tabIndex = at === index ? 0 : -1;
    span.setAttribute("aria-selected", String(at === index));
  });
  if (focus) spans[index].focus({ preventScroll: false });
  path.replaceChildren(node("h3", "", "Token " + index + ": " + JSON.stringify(data.texts[index])));
  for (const { name, chosen, shares } of data.layers) {
    const hop = node("div", "hop");
    hop.append(node("b", "", name));
    const bars = node("div", "bars");
    const mine = new Map(chosen[index]);
    const largest = Math.max(1, ...shares[index]);
    shares[index].forEach((share, expert) => {
      const bar = node("i", mine.has(expert) ? "chosen" : "");
      bar.style.height = Math.max(3, (100 * share) / largest) + "%";
      bar.title = "expert " + expert + ": probability " + (share / 1000).toFixed(3);
      bars.append(bar);
    });
    hop.append(bars);
    for (const [expert, weight] of chosen[index]) {
      const chip = node("span", "chip", "expert " + expert + " × " + weight.toFixed(2));
      chip.style.backgroundColor = colour(expert);
      hop.append(chip);
    }
    if (chosen[index].length === 0) hop.append(node("span", "soft", " no expert"));
    path.append(hop);
  }
}
text.addEventListener("keydown", (event) => {
  const at = spans.indexOf(document.activeElement);
  const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: spans.length - 1, Enter: at, " ": at }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  choose(Math.min(spans.length - 1, Math.max(0, to)));
});
layer.addEventListener("change", paint);
for (const choice of document.querySelectorAll("select[data-shows]")) {
  const show = () => document.querySelectorAll("[data-of=" + choice.dataset.shows + "]").forEach((part) => { part.hidden = part.dataset.layer !== choice.value; });
  choice.addEventListener("change", show);
  show();
}
paint();
if (spans.length > 0) choose(Math.max(0, data.texts.findIndex((token, index) => index > 3 && token.trim())), false);
`;
