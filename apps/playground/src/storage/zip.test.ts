import { unzipSync } from "fflate";
import { expect, test } from "vitest";
import { unzip, zipRun } from "./zip";

const files = [
  { path: "config.json", content: new Blob(["{}\n"]) },
  { path: "checkpoints/step-00000002/model.safetensors", content: new Blob([new Uint8Array(3_000_000).fill(7)]) },
];

test("what is zipped comes back byte for byte", async () => {
  const zip = await zipRun("run", files);
  const back = await unzip(zip);
  expect(back.map(({ path }) => path)).toEqual(files.map(({ path }) => `run/${path}`));
  for (const [index, { content }] of back.entries()) {
    expect(Buffer.compare(await bytes(content), await bytes(files[index]!.content))).toBe(0);
  }
  expect(Object.keys(unzipSync(await bytes(zip)))).toHaveLength(2);
  await expect(unzip(new Blob(["no zip"]))).rejects.toThrow(/import: needs a zip file/);
});

const bytes = async (blob: Blob) => new Uint8Array(await blob.arrayBuffer());
