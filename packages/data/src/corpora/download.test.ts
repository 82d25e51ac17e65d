import { createHash } from "node:crypto";
import { access, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, test } from "vitest";
import { download } from "./download";
import { testServer } from "./test-server";

const server = await testServer();
afterAll(() => server.close());
const bytes = Uint8Array.from({ length: 300_000 }, (_, i) => Math.imul(i, 2654435761) >>> 21);
const sha256 = createHash("sha256").update(bytes).digest("hex");
let path = "";
beforeEach(async () => {
  path = join(await mkdtemp(join(tmpdir(), "webmoe-download-")), "corpora", "file.bin");
  server.files.set("/file.bin", bytes);
  Object.assign(server, { requests: [], breakAfter: [], ranges: true });
});
const get = (more: object = {}) => download({ url: `${server.url}/file.bin`, path, pause: 1, ...more });
const same = async () => expect(Buffer.compare(await readFile(path), Buffer.from(bytes))).toBe(0);

test("a file is downloaded once, recorded, and nothing else is left", async () => {
  const progress: number[] = [];
  const record = await get({ onProgress: (done: number, total: number) => progress.push(done / total) });
  expect(record).toMatchObject({ size: bytes.length, sha256 });
  expect(progress.at(-1)).toBe(1);
  await same();
  expect(await get()).toEqual(record);
  expect(server.requests).toHaveLength(1);
  expect((await readdir(join(path, ".."))).sort()).toEqual(["file.bin", "file.bin.json"]);
});

test("a broken connection goes on where it stopped", async () => {
  server.breakAfter = [100_000, 50_000];
  expect((await get()).sha256).toBe(sha256);
  expect(server.requests.map(({ range }) => range)).toEqual([undefined, "bytes=100000-", "bytes=150000-"]);
  await same();
});

test("an interrupted download goes on in another process's next try", async () => {
  server.breakAfter = [70_000];
  await expect(get({ tries: 1 })).rejects.toThrow(
    /70000 bytes are kept.*without a network, put the file at .*file\.bin$/,
  );
  await expect(access(path)).rejects.toThrow();
  expect((await get()).sha256).toBe(sha256);
  expect(server.requests[1]!.range).toBe("bytes=70000-");
  await same();
});

test("a server that knows no ranges begins again", async () => {
  server.ranges = false;
  server.breakAfter = [70_000];
  expect((await get()).sha256).toBe(sha256);
  expect(server.requests.map(({ range }) => range)).toEqual([undefined, undefined]);
  await same();
});

test("a file that changed on the server in between is not mixed with its older self", async () => {
  server.files.set("/file.bin", new Uint8Array(90_000).fill(7));
  server.breakAfter = [70_000];
  await expect(get({ tries: 1 })).rejects.toThrow(/kept/);
  server.files.set("/file.bin", bytes);
  expect((await get()).sha256).toBe(sha256);
  await same();
});

test("all bytes there, only the end was missed", async () => {
  server.breakAfter = [300_000];
  await writeFile(await partial(), bytes);
  await writeFile(`${path}.partial.json`, `"${sha256}"`);
  server.breakAfter = [];
  expect((await get()).sha256).toBe(sha256);
});

test("a wrong checksum or size is refused and nothing stays", async () => {
  await expect(get({ sha256: "0".repeat(64) })).rejects.toThrow(/needs sha256 0000.*got/);
  await expect(get({ size: 5 })).rejects.toThrow(/needs size 5, got 300000/);
  expect(await readdir(join(path, ".."))).not.toContain("file.bin");
});

test("the checksum of the first download holds for later ones, and for the file itself", async () => {
  await get();
  await rm(path);
  server.files.set("/file.bin", bytes.slice().fill(1, 0, 10));
  await expect(get()).rejects.toThrow(/needs sha256 .*delete it/);
  server.files.set("/file.bin", bytes);
  await get();
  const { atime, mtime } = await stat(path);
  await writeFile(path, bytes.slice().fill(2, 0, 10));
  await utimes(path, atime, new Date(mtime.getTime() + 5000));
  await expect(get()).rejects.toThrow(/needs sha256/);
});

test("a file put there by hand is taken, without a network", async () => {
  await writeFile(await partial(), bytes);
  const { rename } = await import("node:fs/promises");
  await rename(`${path}.partial`, path);
  const record = await download({ url: "http://127.0.0.1:9/none", path });
  expect(record.sha256).toBe(sha256);
});

test("without a network the message says where to put the file", async () => {
  const offline = download({ url: "http://127.0.0.1:9/file.bin", path, pause: 1, tries: 2 });
  await expect(offline).rejects.toThrow(
    new RegExp(`cannot download http://127.0.0.1:9/file.bin .*put the file at ${path}`),
  );
  await expect(get({ url: `${server.url}/none.bin` })).rejects.toThrow(/404/);
  expect(server.requests).toHaveLength(1);
});

/** The path of the unfinished file, its folder made. */
async function partial(): Promise<string> {
  const { mkdir } = await import("node:fs/promises");
  await mkdir(join(path, ".."), { recursive: true });
  return `${path}.partial`;
}
