import { defineConfig, type MarkdownRenderer } from "vitepress";

const REPOSITORY = "https://github.com/webmoe/webmoe/blob/main";

/** Documents link to source files for readers of the repository; on the site those lead there. */
function linkToRepository(markdown: MarkdownRenderer): void {
  markdown.core.ruler.push("repository", ({ tokens, env }) => {
    const folder = String(env.relativePath ?? "").replace(/[^/]*$/, "");
    for (const link of tokens.flatMap((token) => token.children ?? []).filter(({ type }) => type === "link_open")) {
      const { pathname } = new URL(link.attrGet("href") ?? "", `https://site/docs/${folder}`);
      if (/^\/(apps|packages|tools)\//.test(pathname)) link.attrSet("href", REPOSITORY + pathname);
    }
  });
}

/** The site: `npm run docs` writes the API reference into docs/api and builds everything into docs/.vitepress/dist. */
export default defineConfig({
  title: "webmoe",
  description: "Sparse mixture-of-experts language models on WebGPU.",
  cleanUrls: false,
  lastUpdated: false,
  markdown: { config: linkToRepository },
  themeConfig: {
    socialLinks: [{ icon: "github", link: REPOSITORY.replace(/\/blob.*/, "") }],
    search: { provider: "local" },
    nav: [
      { text: "Quick start", link: "/" },
      { text: "Command line", link: "/command-line" },
      { text: "Configuration", link: "/configuration" },
      { text: "API", link: "/api/" },
    ],
    sidebar: [
      {
        text: "Begin",
        items: [
          { text: "Quick start", link: "/" },
          { text: "Concepts", link: "/concepts" },
          { text: "Playground", link: "/playground" },
          { text: "Questions", link: "/faq" },
        ],
      },
      {
        text: "Make",
        items: [
          { text: "A router", link: "/writing-a-router" },
          { text: "An op and a kernel", link: "/writing-an-op" },
        ],
      },
      {
        text: "Look up",
        items: [
          { text: "Command line", link: "/command-line" },
          { text: "Configuration", link: "/configuration" },
          { text: "Routers", link: "/routers" },
          { text: "API", link: "/api/" },
          { text: "Speed", link: "/results/speed" },
          { text: "Speed on an H200, earlier", link: "/results/speed-h200" },
          { text: "Routers compared", link: "/results/routers" },
          { text: "Text classification", link: "/results/classification" },
          { text: "Soak", link: "/results/soak" },
          { text: "How it works", link: "/how-it-works" },
          { text: "Decisions", link: "/decisions" },
          { text: "Experiments", link: "/log" },
        ],
      },
    ],
  },
});
