import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A server of files for tests, which can break off in the middle. */
export interface TestServer {
  url: string;
  /** What it serves, by path. */
  files: Map<string, Uint8Array>;
  /** Requests so far: their path and the range they asked for. */
  requests: { path: string; range: string | undefined }[];
  /** The next answers end after so many bytes. */
  breakAfter: number[];
  /** Whether it knows ranges. */
  ranges: boolean;
  close(): Promise<void>;
}

/** Start a server of files at an address of its own. */
export async function testServer(): Promise<TestServer> {
  const state: Omit<TestServer, "url" | "close"> = { files: new Map(), requests: [], breakAfter: [], ranges: true };
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? "");
    const bytes = state.files.get(path);
    state.requests.push({ path, range: request.headers.range });
    if (!bytes) return response.writeHead(404).end();
    const etag = `"${createHash("sha256").update(bytes).digest("hex")}"`;
    const asked = /^bytes=(\d+)-$/.exec(request.headers.range ?? "");
    const sameVersion = request.headers["if-range"] === etag;
    let start = 0;
    const headers: Record<string, string> = state.ranges ? { etag, "accept-ranges": "bytes" } : {};
    if (state.ranges && asked && sameVersion) {
      start = Number(asked[1]);
      if (start >= bytes.length) return response.writeHead(416, { "content-range": `bytes */${bytes.length}` }).end();
      headers["content-range"] = `bytes ${start}-${bytes.length - 1}/${bytes.length}`;
    }
    headers["content-length"] = `${bytes.length - start}`;
    response.writeHead(start > 0 ? 206 : 200, headers);
    const stop = state.breakAfter.shift();
    if (stop === undefined) return response.end(bytes.subarray(start));
    response.write(bytes.subarray(start, start + stop), () => setTimeout(() => response.destroy(), 20));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return Object.assign(state, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  });
}
