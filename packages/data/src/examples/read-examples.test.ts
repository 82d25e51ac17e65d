import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readExamples } from "./read-examples";

const folder = await mkdtemp(join(tmpdir(), "webmoe-examples-"));
const file = async (name: string, text: string) => {
  await writeFile(join(folder, name), text);
  return join(folder, name);
};

test("CSV and JSON lines say which text is of which class; the other column is found", async () => {
  const wanted = [
    { text: "one, two", label: "a" },
    { text: "three", label: "b" },
  ];
  expect(await readExamples(await file("a.csv", 'text,category\n"one, two",a\nthree,b\n'))).toEqual(wanted);
  const rows = ['{"sentence":"one, two","label":"a","id":1}', '{"sentence":"three","label":"b","id":2}'];
  const jsonl = await file("b.jsonl", `${rows.join("\n\n")}\n`);
  expect(await readExamples(jsonl, { text: "sentence" })).toEqual(wanted);
});

test("what is not there is named", async () => {
  await expect(readExamples(join(folder, "none.csv"))).rejects.toThrow(/needs spam, or a \.csv.*is not there/);
  await expect(readExamples(await file("c.csv", "x,y,z\n1,2,3\n"))).rejects.toThrow(/row 2 of .* has x, y, z/);
  await expect(readExamples(await file("d.jsonl", '{"text":"a","label":null}\n'))).rejects.toThrow(
    /column "label", and .*d\.jsonl:1 has null/,
  );
  await expect(readExamples(await file("e.csv", "text,label\nhello,\n"))).rejects.toThrow(/row 2 .* has none/);
});

test("spam is 6,046 messages without the headers of mail servers", async () => {
  const examples = await readExamples("spam");
  expect(examples).toHaveLength(6046);
  expect(examples.filter(({ label }) => label === "spam")).toHaveLength(1896);
  expect(examples.filter(({ text }) => /^Received: /m.test(text.slice(0, 200))).length).toBeLessThan(60);
});
