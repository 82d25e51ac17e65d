import { createHash } from "node:crypto";
import { mkdtemp, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { inside } from "./inside";
import { openCorpus, readCorpus } from "./open-corpus";
import { testServer } from "./test-server";

const server = await testServer();
afterAll(() => server.close());
const utf8 = new TextEncoder();

/** Put a data set on the server as the hub has it. */
function dataset(name: string, files: Record<string, string>, oid?: string): void {
  const entries = Object.entries(files).map(([path, text]) => {
    const bytes = utf8.encode(text);
    server.files.set(`/datasets/${name}/resolve/main/${path}`, bytes);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    return {
      type: "file",
      oid: "1",
      size: bytes.length,
      path,
      lfs: { oid: oid ?? sha256, size: bytes.length, pointerSize: 1 },
    };
  });
  server.files.set(`/api/datasets/${name}/tree/main?recursive=true&expand=false`, utf8.encode(JSON.stringify(entries)));
}
const fresh = () => mkdtemp(join(tmpdir(), "webmoe-hub-"));
const text = async (id: string, cache: string, options = {}) =>
  new TextDecoder().decode(await readCorpus(id, { cache, hub: server.url, ...options }));

test("the files of a split, downloaded once, and again without the server", async () => {
  dataset("someone/stories", {
    "README.md": "about",
    "data/train-00001-of-00002.jsonl": '{"text":"two"}\n',
    "data/train-00000-of-00002.jsonl": '{"text":"one"}\n',
    "data/test-00000-of-00001.jsonl": '{"text":"held out"}\n',
  });
  const cache = await fresh();
  expect(await text("hf:someone/stories", cache)).toBe("one\ntwo\n");
  expect(await text("hf:someone/stories", cache, { split: "test" })).toBe("held out\n");
  const count = server.requests.filter(({ path }) => path.includes("resolve")).length;
  expect(count).toBe(3);
  expect(await text("hf:someone/stories", cache, { hub: "http://127.0.0.1:9" })).toBe("one\ntwo\n");
  await expect(text("hf:someone/stories", cache, { split: "dev" })).rejects.toThrow(/split "dev".*train-00000/);
});

test("a data set of several parts asks for one", async () => {
  dataset("a/wiki", { "small/train.jsonl": '{"text":"s"}\n', "large/train.jsonl": '{"text":"l"}\n' });
  await expect(text("hf:a/wiki", await fresh())).rejects.toThrow(/several parts.*hf:a\/wiki\/large/);
  expect(await text("hf:a/wiki/large", await fresh())).toBe("l\n");
  await expect(text("hf:a/wiki/none", await fresh())).rejects.toThrow(/none in "none"/);
});

test("what the hub's checksum does not fit is refused", async () => {
  dataset("b/wrong", { "train.txt": "some text" }, "0".repeat(64));
  await expect(text("hf:b/wrong", await fresh())).rejects.toThrow(/sha256/);
});

test("paths that leave the cache are refused, whoever names them", async () => {
  dataset("c/evil", { "../../../evil.txt": "gotcha" });
  const cache = await fresh();
  await expect(text("hf:c/evil", cache)).rejects.toThrow(/file name within/);
  await expect(text("hf:../evil", cache)).rejects.toThrow();
  await expect(text("hf:only-one", cache)).rejects.toThrow(/hf:owner\/name/);
  expect(await readdir(join(cache, "corpora", "hub"))).toEqual(["c--evil"]);
  for (const name of ["..", "a/../b", "/etc/passwd", "a\\b", "c:d", "a//b", "a/\0", ""]) {
    expect(() => inside("/folder", name)).toThrow(/file name within/);
  }
  expect(inside("/folder", "a/b.txt")).toBe(join("/folder", "a", "b.txt"));
});

test("an unknown data set, offline and on", async () => {
  await expect(openCorpus("hf:d/none", { cache: await fresh(), hub: server.url })).rejects.toThrow(
    /cannot list hf:d\/none/,
  );
  await expect(openCorpus("hf:d/none", { cache: await fresh(), hub: "http://127.0.0.1:9" })).rejects.toThrow(
    /without a network/,
  );
});
