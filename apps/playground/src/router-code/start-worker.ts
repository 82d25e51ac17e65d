// Workers are started from a blob: URL, so that they inherit the page's content-security policy, and lose what could keep
// or send anything before the first of their modules is loaded: the code of a router is a stranger's. What this protects
// and what it does not is in docs/playground.md.

import { type Remote, wrap } from "comlink";
import type { TrainingWorker } from "../training/messages";
import workerUrl from "../training/worker?worker&url";

/** Globals of a worker that reach storage, other pages of this site, or a fresh global that has them. */
const TAKEN = [
  "indexedDB",
  "caches",
  "cookieStore",
  "BroadcastChannel",
  "Worker",
  "SharedWorker",
  "WebSocket",
  "WebTransport",
  "EventSource",
  "XMLHttpRequest",
  "webkitRequestFileSystem",
  "webkitRequestFileSystemSync",
  "webkitResolveLocalFileSystemURL",
  "webkitResolveLocalFileSystemSyncURL",
];

/** Properties of `navigator` that reach storage or other pages. */
const TAKEN_FROM_NAVIGATOR = ["storage", "storageBuckets", "locks", "serviceWorker", "webkitTemporaryStorage"];

/** Takes names from an object and every prototype of it. */
const take = `(object, names) => {
  for (let place = object; place; place = Object.getPrototypeOf(place)) for (const name of names) delete place[name];
};`;

/** A worker that is ready, and how to end it. */
export interface StartedWorker {
  remote: Remote<TrainingWorker>;
  /** Called with what broke a worker that no answer would tell of. */
  onBreak(told: (error: Error) => void): void;
  end(): void;
}

/** The text of the script that a worker starts with; `code` is a router's, compiled to a body with `require` and `exports`. */
function bootstrap(code: string | undefined): string {
  const prelude = [
    `const take = ${take.replaceAll("\n", " ")}`,
    `take(self, ${JSON.stringify(TAKEN)}); take(navigator, ${JSON.stringify(TAKEN_FROM_NAVIGATOR)});`,
  ].join(" ");
  // The code begins at the second line and keeps its lines.
  const visitor = code === undefined ? "" : `self.webmoeVisitor = (require, exports) => {\n${code}\n};`;
  return `${prelude} ${visitor} await import(${JSON.stringify(new URL(workerUrl, location.href).href)});`;
}

/** Lines of a bootstrap before the first of the code. */
export const LINES_BEFORE_CODE = 1;

/** Start a worker, with the compiled code of a router if there is one. Rejects when it does not load. */
export async function startWorker(code?: string): Promise<StartedWorker> {
  const address = URL.createObjectURL(new Blob([bootstrap(code)], { type: "text/javascript" }));
  const thread = new Worker(address, { type: "module", name: "training" });
  let told: ((error: Error) => void) | undefined;
  const broken = (event: ErrorEvent) => {
    event.preventDefault();
    return new Error(event.message || "it could not be loaded");
  };
  await new Promise<void>((resolve, reject) => {
    thread.onmessage = ({ data }) => {
      if (data?.ready) resolve();
    };
    thread.onerror = (event) => reject(broken(event));
  }).finally(() => URL.revokeObjectURL(address));
  thread.onmessage = null;
  thread.onerror = (event) => told?.(broken(event));
  return {
    remote: wrap<TrainingWorker>(thread),
    onBreak(tell) {
      told = tell;
    },
    end: () => thread.terminate(),
  };
}
