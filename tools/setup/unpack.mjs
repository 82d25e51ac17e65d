import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { brotliDecompressSync } from "node:zlib";
import { tarFiles } from "./tar.mjs";

/**
 * Fill a folder once: `fill` writes into a temporary one, which is then renamed, so that a folder that exists is whole.
 * @param {string} folder
 * @param {(folder: string) => void} fill
 */
export function unpackOnce(folder, fill) {
  if (existsSync(folder)) return;
  mkdirSync(dirname(folder), { recursive: true });
  const temporary = mkdtempSync(`${folder}-`);
  try {
    fill(temporary);
    // A temporary folder is its owner's alone; what is unpacked may serve every user of this copy.
    chmodSync(temporary, 0o755);
    renameSync(temporary, folder);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    // Another process may have been faster; its folder is as good as ours.
    if (!existsSync(folder)) throw error;
  }
}

/**
 * Write the files of a `.tar.br` into a folder.
 * @param {string} archive
 * @param {string} folder
 * @param {(name: string) => boolean} [wanted]
 */
export function unpackTar(archive, folder, wanted = () => true) {
  for (const { name, mode, data } of tarFiles(brotliDecompressSync(readFileSync(archive)))) {
    if (!wanted(name)) continue;
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, data, { mode: mode | 0o600 });
  }
}
