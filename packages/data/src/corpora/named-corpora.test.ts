import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, deflateRawSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import { openCorpus, readCorpus } from "./open-corpus";
import { testServer } from "./test-server";
import { unzipEntry } from "./unzip";

const server = await testServer();
afterAll(() => server.close());
const utf8 = new TextEncoder();
const fresh = () => mkdtemp(join(tmpdir(), "webmoe-named-"));

/** A zip archive of one file. */
function zip(name: string, bytes: Uint8Array): Uint8Array {
  const packed = deflateRawSync(bytes);
  const entry = (signature: number, central: boolean) => {
    const header = Buffer.alloc(central ? 46 : 30);
    const at = header.writeUInt32LE(signature) + (central ? 2 : 0);
    header.writeUInt16LE(20, at);
    header.writeUInt16LE(8, at + 4);
    header.writeUInt32LE(crc32(bytes), at + 10);
    header.writeUInt32LE(packed.length, at + 14);
    header.writeUInt32LE(bytes.length, at + 18);
    header.writeUInt16LE(name.length, at + 22);
    return Buffer.concat([header, Buffer.from(name)]);
  };
  const local = Buffer.concat([entry(0x04034b50, false), packed]);
  const directory = entry(0x02014b50, true);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50);
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(local.length, 16);
  return Buffer.concat([local, directory, end]);
}

test("enwik8 is downloaded, unpacked, and found in the cache from then on", async () => {
  const cache = await fresh();
  const bytes = Buffer.alloc(100_000_000, "The whale. ");
  server.files.set("/enwik8.zip", zip("enwik8", bytes));
  const address = (url: string) => url.replace("https://mattmahoney.net/dc", server.url);
  const shown = new Set<string>();
  const corpus = await openCorpus("enwik8", { cache, address, onDownload: (name) => shown.add(name) });
  expect([corpus.name, corpus.size, ...shown]).toEqual(["enwik8", 100_000_000, "enwik8.zip"]);
  for await (const piece of corpus.read()) {
    expect(new TextDecoder().decode(piece.bytes.subarray(0, 9))).toBe("The whale");
    break;
  }
  await openCorpus("enwik8", { cache, address: () => "http://127.0.0.1:9" });
  expect(server.requests).toHaveLength(1);
});

test("stories come from the hub, or from where they were put by hand", async () => {
  const cache = await fresh();
  const path = "datasets/roneneldan/TinyStories/resolve/main/TinyStories-train.txt";
  server.files.set(`/${path}`, utf8.encode("A story.\n<|endoftext|>\n"));
  const bytes = await readCorpus("tinystories", { cache, hub: server.url });
  expect(new TextDecoder().decode(bytes)).toBe("A story.\n<|endoftext|>\n");
  const other = await fresh();
  await mkdir(join(other, "corpora", "tinystories"), { recursive: true });
  await writeFile(join(other, "corpora", "tinystories", "TinyStories-train.txt"), "By hand.");
  const hand = await readCorpus("tinystories", { cache: other, hub: "http://127.0.0.1:9" });
  expect(new TextDecoder().decode(hand)).toBe("By hand.");
});

test("an archive that holds something else is refused", async () => {
  const folder = await fresh();
  const archive = join(folder, "a.zip");
  await writeFile(archive, zip("other", utf8.encode("text")));
  await expect(unzipEntry(archive, "text8", join(folder, "text8"), 4)).rejects.toThrow(/has no "text8"/);
  await expect(unzipEntry(archive, "other", join(folder, "other"), 5)).rejects.toThrow(/of 4 bytes, and it needs 5/);
  await writeFile(archive, "no archive at all");
  await expect(unzipEntry(archive, "text8", join(folder, "text8"), 4)).rejects.toThrow(/needs a zip archive/);
  await writeFile(archive, zip("../evil", utf8.encode("text")));
  await expect(unzipEntry(archive, "../evil", join(folder, "evil"), 4)).rejects.toThrow(/invalid relative path/);
});
