import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { expect } from "vitest";
import { pinnedPnpm } from "../../../../tools/packages.mjs";
import { chromiumLaunch } from "../../../../tools/setup/chromium.mjs";
import { root } from "../../../../tools/setup/places.mjs";
import { runQuietly } from "../../../../tools/setup/run-quietly.mjs";

/** The page, built once and served below a path, and one browser. */
export interface Site {
  address: string;
  /** For files of tests. */
  folder: string;
  /** Open the page with what is behind "#"; what it logs as an error, or throws, fails `close`, unless it is expected. */
  open(
    hash: string,
    options?: BrowserContextOptions,
  ): Promise<{ page: Page; requests: string[]; close(expected?: RegExp): Promise<void> }>;
  close(): Promise<void>;
}

const types: Record<string, string> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".txt": "text/plain",
};

/** Build the page, serve it, and start a browser. */
export async function openSite(): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), "webmoe-page-"));
  const built = join(folder, "site");
  const build = ["--filter", "playground", "build", "--logLevel", "warn", "--outDir", built, "--emptyOutDir"];
  await runQuietly("npx", ["--yes", pinnedPnpm(), ...build], { cwd: root });
  const server = createServer(async (request, response) => {
    const path = new URL(request.url!, "http://localhost").pathname;
    const name = path.startsWith("/a/b/") ? path.slice("/a/b/".length) || "index.html" : "missing";
    try {
      const content = await readFile(join(built, name));
      response.setHeader("content-type", types[extname(name)] ?? "application/octet-stream").end(content);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  const address = `http://localhost:${(server.address() as AddressInfo).port}/a/b/`;
  const browser = await chromium.launch(chromiumLaunch());
  return {
    address,
    folder,
    async open(hash, options) {
      const context = await browser.newContext(options);
      const page = await context.newPage();
      const requests: string[] = [];
      const errors: string[] = [];
      page.on("request", (request) => requests.push(request.url()));
      page.on("pageerror", (error) => errors.push(error.message));
      page.on("console", (message) => {
        if (message.type() === "error") errors.push(message.text());
      });
      await page.goto(address + hash);
      return {
        page,
        requests,
        async close(expected) {
          await context.close();
          expect(errors.filter((error) => !expected?.test(error))).toEqual([]);
        },
      };
    },
    async close() {
      await browser.close();
      server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
