/** The style of the report: colours are variables, one set for light and one for dark. */
export const style = /* css */ `
:root {
  color-scheme: light dark;
  --page: #fbfaf7; --raised: #ffffff; --text: #1f2328; --soft: #667078; --line: #e2dfd7;
  --shade: #0b6e75; --on: #ffffff; --mark: #c2410c; --lightness: 82%; --ink: #14181b;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14171a; --raised: #1c2024; --text: #e4e6e8; --soft: #98a1a8; --line: #31373d;
    --shade: #4fc3c9; --on: #0d1113; --mark: #fb923c; --lightness: 34%; --ink: #f4f6f7;
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2.5rem 1.25rem 5rem; max-width: 64rem; background: var(--page); color: var(--text);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 .3rem; }
h2 { font-size: 1.1rem; margin: 2.6rem 0 .25rem; }
p { margin: 0 0 .9rem; max-width: 44rem; }
.soft, figcaption { color: var(--soft); font-size: .9rem; }
.glance { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.2rem, 1fr)); gap: .8rem; margin: 1.4rem 0 0; }
.glance div { display: flex; flex-direction: column-reverse; justify-content: flex-end; background: var(--raised); border: 1px solid var(--line); border-radius: 8px; padding: .7rem .8rem; }
.glance dd { margin: 0; font-size: 1.45rem; line-height: 1.3; font-variant-numeric: tabular-nums; } .glance dt { color: var(--soft); font-size: .8rem; line-height: 1.35; }
.notes { border-left: 3px solid var(--mark); padding: .1rem 0 .1rem .9rem; margin: 1.2rem 0; }
.notes li { margin: .25rem 0; } .notes ul { margin: 0; padding-left: 1rem; }
.plot, .table { overflow-x: auto; background: var(--raised); border: 1px solid var(--line); border-radius: 8px; padding: .8rem; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); gap: 1rem; }
figure { margin: 0; min-width: 0; } figcaption { margin: .35rem 0 0; }
svg { display: block; margin: 0 auto; max-width: 100%; height: auto; } .wide svg { min-width: 30rem; } svg text { font: 11px system-ui, sans-serif; fill: var(--soft); }
svg .end { text-anchor: end; } svg .middle { text-anchor: middle; } g > .middle { fill: var(--text); } g > .middle.on { fill: var(--on); }
.ground { fill: var(--line); opacity: .45; } .shade { fill: var(--shade); }
g:hover > .ground { opacity: 1; }
.ridge { fill: var(--shade); fill-opacity: .55; stroke: var(--shade); stroke-width: 1.2; }
.mark { stroke: var(--mark); stroke-width: 2; }
table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; width: 100%; }
th, td { text-align: right; padding: .28rem .55rem; white-space: nowrap; } th { color: var(--soft); font-weight: 500; }
th:first-child, td:first-child { text-align: left; } tbody tr { border-top: 1px solid var(--line); }
.words { text-align: left; } td.words { white-space: normal; }
:focus-visible { outline: 2px solid var(--mark); outline-offset: 2px; }
select { font: inherit; font-size: .9rem; color: inherit; background: var(--raised); border: 1px solid var(--line); border-radius: 6px; padding: .2rem .4rem; }
code, .token, .chip { font-family: ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
.reader { display: grid; grid-template-columns: minmax(0, 3fr) minmax(15rem, 2fr); gap: 1rem; align-items: start; }
.text { background: var(--raised); border: 1px solid var(--line); border-radius: 8px; padding: .8rem; max-height: 26rem; overflow-y: auto; line-height: 1.75; }
.token { font-size: .85rem; border-radius: 3px; padding: .12rem 0; white-space: pre-wrap; cursor: pointer; color: var(--ink); }
.text hr { border: 0; border-top: 1px dashed var(--line); margin: .7rem 0; }
.token[aria-selected="true"] { outline: 2px solid var(--mark); outline-offset: 1px; position: relative; }
.path { background: var(--raised); border: 1px solid var(--line); border-radius: 8px; padding: .8rem; position: sticky; top: .8rem; max-height: 30rem; overflow-y: auto; }
.path h3 { font-size: .95rem; margin: 0 0 .6rem; } .hop { margin: 0 0 .7rem; }
.hop b { font-weight: 500; font-size: .8rem; color: var(--soft); }
.bars { display: flex; gap: 1px; height: 2.2rem; align-items: flex-end; border-bottom: 1px solid var(--line); }
.bars i { flex: 1; min-width: 0; background: var(--line); } .bars i.chosen { background: var(--shade); }
.chip { display: inline-block; font-size: .78rem; border-radius: 4px; padding: .05rem .35rem; margin: .2rem .3rem 0 0; color: var(--ink); }
@media (max-width: 44rem) { .reader { grid-template-columns: minmax(0, 1fr); } .path { position: static; } body { padding-top: 1.4rem; } }
`;
