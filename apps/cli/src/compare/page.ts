import { bytes } from "../terminal/format";
import { comparisonCharts } from "./charts";
import { type Comparison, verdict } from "./comparison";
import { escapeText } from "./line-chart";
import { differenceText, figureText, ratioText } from "./tables";

const STYLE = `:root{color-scheme:light dark;--line:#ccc;--faint:#666;--good:#00754a;--bad:#b00020}
@media(prefers-color-scheme:dark){:root{--line:#444;--faint:#999;--good:#4cc38a;--bad:#ff7a85}}
body{font:16px/1.5 system-ui,sans-serif;max-width:960px;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2.2rem}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.9rem;width:100%}
th,td{text-align:right;padding:.3rem .6rem;border-bottom:1px solid var(--line);white-space:nowrap}
th:first-child,td:first-child{text-align:left}.scroll{overflow-x:auto}
.faint{color:var(--faint)}.caveat{border-left:4px solid var(--bad);padding:.3rem 1rem}.lower{color:var(--good)}.higher{color:var(--bad)}
svg{width:100%;height:auto;margin-top:1rem}[data-legend]{cursor:pointer}.off{opacity:.12}pre{overflow-x:auto;font-size:.8rem}`;

/** A click on a name in a legend hides and shows its line. */
const SCRIPT = `for(const legend of document.querySelectorAll("[data-legend]"))legend.addEventListener("click",()=>{
legend.classList.toggle("off");legend.closest("svg").querySelector('[data-series="'+legend.dataset.legend+'"]').classList.toggle("off")})`;

/** A comparison as one HTML file that needs nothing else. */
export function comparisonPage(comparison: Comparison): string {
  const { baseline, routers, seeds, tokens, adapters, caveat, config, done, planned, match } = comparison;
  const { layers, dim, heads, context } = config.model;
  const { experts, topK, hidden } = config.moe;
  const losses = routers.map((router) => {
    const said = router.validation && verdict(router.validation);
    return [
      router.label,
      figureText(router.validation),
      router.label === baseline
        ? "baseline"
        : `<span class="${said === "lower" || said === "higher" ? said : ""}">${differenceText(router.validation)}</span>`,
      figureText(router.test),
      router.bestSteps.join(", "),
      router.seeds.join(", "),
    ];
  });
  const costs = routers.map(({ label, size, msPerStep, memory }) => [
    label,
    ...[size.total, size.active, size.router, size.routerFrozen].map((count) => count.toLocaleString("en-US")),
    msPerStep?.mean.toFixed(2) ?? "",
    ratioText(msPerStep?.relative),
    memory ? bytes(memory.bytes) : "",
    ratioText(memory?.relative),
  ]);
  const notes = routers.flatMap(({ label, note }) => (note ? [`${label}: ${note}`] : []));
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Comparison of routers</title>
<style>${STYLE}</style>
<h1>Comparison of ${routers.length} routers over ${seeds.length} seed${seeds.length === 1 ? "" : "s"}</h1>
<p>${layers} layers of width ${dim}, ${heads} heads, ${experts} experts of width ${hidden}, ${topK} a token, ${context} tokens of context;
${config.train.steps.toLocaleString("en-US")} steps of ${tokens.perStep.toLocaleString("en-US")} tokens of ${escapeText(config.data)} each.
Batches and the initial values of everything but the router are the same for all runs of a seed.
<span class="faint">${escapeText(adapters.join(", "))}; webmoe ${escapeText(comparison.webmoe)}.</span></p>
${done < planned ? `<p class="caveat">${done} of ${planned} runs are done.</p>` : ""}
${caveat ? `<p class="caveat">${escapeText(caveat[0]!.toUpperCase() + caveat.slice(1))}.</p>` : ""}
<h2>Loss</h2>
${tableOf(["router", "validation", "difference, 95 %", "test", "best step", "seeds"], losses)}
<p class="faint">Bits per byte, mean ± standard deviation over seeds, at the step with the lowest validation loss of each run. The difference is to
${escapeText(baseline)}, seed by seed, with its 95 % interval (t distribution). Of twenty intervals for routers that do not differ, one leaves out zero.</p>
${Object.values(comparisonCharts(comparison)).join("\n")}
<h2>Cost</h2>
${tableOf(["router", "parameters", "active", "router", "not learned", "ms/step", "time", "memory", ""], costs)}
<p class="faint">Median time of a step; times and memory relative to ${escapeText(baseline)} on the same kind of adapter. Memory is what parameters, moments and
programs take on the device.${match === "none" ? "" : ` Matched by ${match} parameters: ${escapeText(notes.join("; "))}.`}</p>
<details><summary>Configuration of ${escapeText(baseline)}</summary><pre>${escapeText(JSON.stringify(config, null, 2))}</pre></details>
<script>${SCRIPT}</script>
</html>
`;
}

/** Cells are markup but for the first. */
function tableOf(head: string[], rows: string[][]): string {
  const line = (cells: string[], tag: string) => `<tr>${cells.map((cell) => `<${tag}>${cell}</${tag}>`).join("")}</tr>`;
  const body = rows.map(([label, ...cells]) => line([escapeText(label!), ...cells], "td")).join("\n");
  return `<div class="scroll"><table><thead>${line(head, "th")}</thead><tbody>${body}</tbody></table></div>`;
}
