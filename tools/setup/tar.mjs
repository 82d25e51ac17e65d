/**
 * The regular files of an uncompressed tar archive (ustar, with GNU and pax long names).
 * @param {Buffer} archive
 * @returns {Generator<{ name: string, mode: number, data: Buffer }>} `data` is a view into the archive
 */
export function* tarFiles(archive) {
  let longName = "";
  for (let at = 0; at + 512 <= archive.length; ) {
    const header = archive.subarray(at, at + 512);
    if (header.every((byte) => byte === 0)) return;
    const size = octal(header, 124, 12);
    if (!Number.isInteger(size) || !checksumHolds(header)) throw new Error(`tar: damaged header at byte ${at}`);
    const data = archive.subarray(at + 512, at + 512 + size);
    if (data.length < size) throw new Error(`tar: the archive ends inside "${text(header, 0, 100)}"`);
    at += 512 + Math.ceil(size / 512) * 512;

    const type = String.fromCharCode(header[156]);
    if (type === "L") {
      longName = text(data, 0, data.length);
    } else if (type === "x") {
      longName = /(?:^|\n)\d+ path=([^\n]*)\n/.exec(data.toString("utf8"))?.[1] ?? "";
    } else if (type !== "g") {
      const prefix = text(header, 257, 5) === "ustar" ? text(header, 345, 155) : "";
      const name = longName || (prefix ? `${prefix}/` : "") + text(header, 0, 100);
      longName = "";
      if (type === "0" || type === "\0") yield { name: safe(name), mode: octal(header, 100, 8) & 0o777, data };
    }
  }
}

/** @param {Buffer} bytes @param {number} start @param {number} length */
function text(bytes, start, length) {
  const end = bytes.indexOf(0, start);
  return bytes.toString("utf8", start, end < 0 || end > start + length ? start + length : end);
}

/** @param {Buffer} bytes @param {number} start @param {number} length */
function octal(bytes, start, length) {
  return Number.parseInt(text(bytes, start, length).trim() || "0", 8);
}

/** @param {Buffer} header the checksum counts its own field as spaces */
function checksumHolds(header) {
  let sum = 0;
  for (let i = 0; i < 512; i++) sum += i >= 148 && i < 156 ? 32 : header[i];
  return sum === octal(header, 148, 8);
}

/** @param {string} name a name that stays inside the folder it is unpacked into */
function safe(name) {
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  if (name.startsWith("/") || parts.includes(".."))
    throw new Error(`tar: "${name}" would be written outside its folder`);
  return parts.join("/");
}
