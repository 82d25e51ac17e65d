import { mkdtemp, readdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { sets, webmoeIn } from "./run-webmoe";

const folder = await mkdtemp(join(tmpdir(), "webmoe-router-file-"));
const webmoe = webmoeIn(folder);
const small = sets("model.dim=16", "model.context=16", "batch.size=2", "moe.hidden=8", "sample.tokens=0");

/** The text of a router file: a linear gate, but for what it makes of its scores. */
const linearGate = (logits: string) => `
import { defineRouter } from "@webmoe/router";
import { linear, linearWeight } from "@webmoe/nn";
import { constant, fold, map, tokenOfAssignment } from "@webmoe/tensor";
export default (options: { scale?: number }) => defineRouter({
  name: "mine",
  init: ({ dim, experts, layers }, key) => ({
    shared: {},
    layers: Array.from({ length: layers }, (_, index) => linearWeight([experts, dim], fold(key, String(index)))),
  }),
  score: ({ x, layer, index }) => {
    const scores = linear(x, layer as never);
    const columns = tokenOfAssignment(constant(x.trace, [scores.shape[1]!], 0), 1); // 0, 1, ...
    return { logits: ${logits} };
  },
});
`;

test("a router in a file of one's own trains", async () => {
  await writeFile(join(folder, "mine.ts"), linearGate("scores"));
  const result = await webmoe("train", ...small, "--steps", "2", "--router", join(folder, "mine.ts"), "--out", "mine");
  expect(result.error).toBe("");
  expect(result.out).toContain("router   mine");
  expect(result.code).toBe(0);
});

test("a file's schema of options needs no zod beside it, and names what is misspelt", async () => {
  const schema = 'import { z } from "zod";\nexport const options = z.strictObject({ scale: z.number().default(1) });';
  await writeFile(join(folder, "checked.ts"), linearGate("scores") + schema);
  const given = async (set: string) => (await webmoe("params", "--router", "./checked.ts", ...sets(set))).error;
  expect(await given("router.scale=2")).toBe("");
  expect(await given("router.scalee=2")).toContain('router has no such option: did you mean "scale"?');
});

test("what goes wrong in a router is told with its line", async () => {
  await writeFile(join(folder, "wrong.ts"), linearGate("linear(scores, layer as never)"));
  const { code, error } = await webmoe("train", ...small, "--steps", "1", "--router", "./wrong.ts", "--out", "wrong");
  expect(error).toMatch(/^webmoe: .*\[32, 4\].* \(wrong\.ts:14\)\n$/);
  expect(code).toBe(1);
  // Nothing stands in the way of the same command once the file is put right.
  expect(await readdir(folder)).not.toContain("wrong");
});

// ln 0 is -inf: in layer 1 only the last expert is left.
test("one whose scores leave a token fewer experts than it goes to stops with a line that says where", async () => {
  const ruleOut =
    'map("ruleOut", [scores, columns], (score, column) => score.add(column.less(3).mul(-1).add(1).log()))';
  await writeFile(join(folder, "few.ts"), linearGate(`index === 1 ? ${ruleOut} : scores`));
  const { code, error } = await webmoe("train", ...small, "--steps", "12", "--router", "./few.ts", "--out", "few");
  expect(error).toContain(
    "train: the loss is NaN 10 steps in a row, from step 1 on: it began in layer 1, in its router: ",
  );
  expect(error).toContain(
    'the scores [32, 4] (tokens, experts) of "mine" leave fewer than 2 experts (moe.topK) to 32 tokens',
  );
  expect(error.trim()).not.toContain("\n");
  expect(code).toBe(1);
});

test.each([
  ["export const router = 1;", "needs a default export (options) => Router, got undefined"],
  [
    "export default () => ({ name: 'half', init() {} });",
    "its default export needs to return a router, { name, init, score }, got { name, init }",
  ],
  ["export default () => { throw new Error('no such table'); };", 'half.ts": no such table'],
  ["export default (", 'half.ts" does not load: Build failed'],
])("a router file with %j is refused by name", async (text, message) => {
  await writeFile(join(folder, "half.ts"), text);
  const result = await webmoe("params", "--router", "./half.ts");
  expect(result.error).toContain(message);
  expect(result.error).toContain("half.ts");
  expect(result.error.trim()).not.toContain("\n");
  expect(result.code).toBe(2);
});
