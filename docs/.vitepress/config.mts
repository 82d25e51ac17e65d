import { defineConfig } from "vitepress";

/** The site: `npm run docs` writes the API reference into docs/api and builds everything into docs/.vitepress/dist. */
export default defineConfig({
  title: "webmoe",
  description: "Sparse mixture-of-experts language models on WebGPU.",
  cleanUrls: false,
  lastUpdated: false,
  // Documents link to source files for readers of the repository; on the site those are no pages.
  ignoreDeadLinks: [/\.\.\/(apps|packages|tools)\//, /^(\.\/)?(apps|packages|tools|LICENSE|CONTRIBUTING)/],
  themeConfig: {
    search: { provider: "local" },
    nav: [
      { text: "Quick start", link: "/" },
      { text: "Configuration", link: "/configuration" },
      { text: "API", link: "/api/" },
    ],
    sidebar: [
      {
        text: "Begin",
        items: [
          { text: "Quick start", link: "/" },
          { text: "Concepts", link: "/concepts" },
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
          { text: "Command line and configuration", link: "/configuration" },
          { text: "Routers", link: "/routers" },
          { text: "API", link: "/api/" },
          { text: "How it works", link: "/how-it-works" },
          { text: "Decisions", link: "/decisions" },
          { text: "Experiments", link: "/log" },
        ],
      },
    ],
  },
});
