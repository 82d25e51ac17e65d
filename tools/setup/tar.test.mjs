import { expect, test } from "vitest";
import { tarFiles } from "./tar.mjs";

/** @param {string} name @param {string} content @param {{ type?: string, prefix?: string }} [options] */
function entry(name, content, { type = "0", prefix = "" } = {}) {
  const header = Buffer.alloc(512);
  header.write(name, 0, 100);
  header.write("0000755\0", 100);
  header.write(`${Buffer.byteLength(content).toString(8).padStart(11, "0")}\0`, 124);
  header.write("        ", 148);
  header.write(type, 156);
  header.write("ustar\u000000", 257);
  header.write(prefix, 345, 155);
  let sum = 0;
  for (const byte of header) sum += byte;
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  const data = Buffer.alloc(Math.ceil(Buffer.byteLength(content) / 512) * 512);
  data.write(content);
  return Buffer.concat([header, data]);
}

const end = Buffer.alloc(1024);
const read = (/** @type {Buffer[]} */ ...entries) =>
  [...tarFiles(Buffer.concat([...entries, end]))].map(({ name, data, mode }) => [name, data.toString(), mode]);

test("files come out with name, content and mode, at sizes around a block", () => {
  const sizes = [0, 1, 511, 512, 513, 1024];
  const entries = sizes.map((size) => entry(`f${size}`, "x".repeat(size)));
  expect(read(...entries)).toEqual(sizes.map((size) => [`f${size}`, "x".repeat(size), 0o755]));
});

test("folders are skipped, prefixes and long names put together", () => {
  const long = `${"d/".repeat(70)}file`;
  const pax = `path=${long}\n`;
  const record = `${pax.length + 4} ${pax}`;
  expect(
    read(
      entry("folder/", "", { type: "5" }),
      entry("b", "1", { prefix: "a" }),
      entry("././@LongLink", `${long}\0`, { type: "L" }),
      entry("short", "2"),
      entry("PaxHeader", record, { type: "x" }),
      entry("short", "3"),
      entry("./c", "4"),
    ).map(([name, text]) => [name, text]),
  ).toEqual([
    ["a/b", "1"],
    [long, "2"],
    [long, "3"],
    ["c", "4"],
  ]);
});

test("names that lead out of the folder, damage and truncation are errors", () => {
  expect(() => read(entry("../evil", "x"))).toThrow(/outside/);
  expect(() => read(entry("/etc/evil", "x"))).toThrow(/outside/);
  const damaged = entry("a", "x");
  damaged[3] = 65;
  expect(() => read(damaged)).toThrow(/damaged header at byte 0/);
  expect(() => [...tarFiles(entry("a", "x".repeat(600)).subarray(0, 700))]).toThrow(/ends inside "a"/);
});
