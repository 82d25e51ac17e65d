import { mkdir, mkdtemp, readdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { writeNewFolder } from "./new-folder";

const folder = await mkdtemp(join(tmpdir(), "webmoe-new-folder-"));

test("a folder has its name when it is whole, and one that could not be filled leaves nothing", async () => {
  const full = writeNewFolder(join(folder, "failed"), async (temporary) => {
    await writeFile(join(temporary, "half"), "h");
    throw new Error("the disk is full");
  });
  await expect(full).rejects.toThrow("the disk is full");
  expect(await readdir(folder)).toEqual([]);
  await writeNewFolder(join(folder, "whole"), (temporary) => writeFile(join(temporary, "file"), "f"));
  expect(await readdir(folder, { recursive: true })).toEqual(["whole", join("whole", "file")]);
});

test("a folder with files is left alone, an empty one is filled", async () => {
  await mkdir(join(folder, "empty"));
  await writeNewFolder(join(folder, "empty"), (temporary) => writeFile(join(temporary, "file"), "f"));
  const again = writeNewFolder(join(folder, "empty"), () => Promise.reject(new Error("never asked")));
  await expect(again).rejects.toThrow(/export: needs a folder that is missing or empty as --out, and ".*" has files/);
});
