import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { givenKeys, resolveConfig } from "./resolve";

const folder = await mkdtemp(join(tmpdir(), "webmoe-config-"));
const file = join(folder, "run.yaml");

/** The configuration of a file and settings. */
async function resolved(yaml: string, flags: Partial<Parameters<typeof resolveConfig>[0]> = {}) {
  await writeFile(file, yaml);
  return resolveConfig({ config: file, set: [], ...flags });
}

describe("a file, flags and --set", () => {
  test("what comes later wins: preset, file, flags, --set", async () => {
    const yaml = "preset: tiny\nseed: 5\ntrain: { steps: 7 }\noptimizer:\n  lr: 2e-3\n  clip: 0\n";
    expect(await resolved(yaml)).toMatchObject({ preset: "tiny", seed: 5, train: { steps: 7 }, model: { dim: 128 } });
    const both = await resolved(yaml, { steps: 8, seed: 6, set: ["seed=9", "optimizer.lr=0.5"] });
    expect(both).toMatchObject({ seed: 9, train: { steps: 8 }, optimizer: { lr: 0.5, clip: 0, beta1: 0.9 } });
    expect((await resolved(yaml, { preset: "nano" })).model.dim).toBe(64);
  });

  test("another router drops the options of the one before, and gets its own", async () => {
    expect((await resolved("router: { name: xmoe, temperature: 0.5 }")).router).toEqual({
      name: "xmoe",
      temperature: 0.5,
    });
    expect((await resolved("router: { bias: false, name: recurrent }")).router).toMatchObject({ dim: 32, bias: false });
    expect((await resolved("router: { name: xmoe, dim: 4 }", { router: "linear" })).router).toEqual({ name: "linear" });
  });

  test("groups may be empty, and lists and text stand as they are", async () => {
    const config = await resolved("optimizer:\nmoe: { denseLayers: [0] }\ndata: 'my text.txt'\n");
    expect(config).toMatchObject({ moe: { denseLayers: [0] }, data: "my text.txt", optimizer: { lr: 3e-3 } });
    expect(await resolved("# nothing yet\n")).toEqual(resolveConfig({ set: [] }));
  });

  test("a printed configuration, and a run's config.json, give the same again", async () => {
    const config = resolveConfig({ preset: "small", router: "linear", set: ["moe.experts=4", "schedule.name=wsd"] });
    expect(await resolved(stringify(config))).toEqual(config);
    expect(await resolved(JSON.stringify({ config, versions: { webmoe: "1" } }))).toEqual(config);
  });

  test("the keys that were given are known", async () => {
    await writeFile(file, "model: { vocab: 300 }");
    const keys = givenKeys({ config: file, steps: 3, set: ["moe.topK=1"] });
    expect([...keys]).toEqual(["model.vocab", "train.steps", "moe.topK"]);
  });
});

describe("mistakes in a file name the place and what was meant", () => {
  test.each([
    ["train:\n  step: 5\n", ':2: there is no key "train.step": did you mean "train.steps"?'],
    ["lr: 1\n", ':1: there is no key "lr": did you mean "optimizer.lr"?'],
    ["optimiser: { clip: 1 }", ':1: there is no key "optimiser.clip": did you mean "optimizer.clip"?'],
    ["seed: 1\noptimizer: 3\n", ":2: optimizer: needs keys below it, as optimizer."],
    ["train: { steps: { each: 5 } }", 'there is no key "train.steps.each"'],
    ["seed: 1\nmodel: [1,2", /:2: Flow sequence [^:]*[^: ]$/],
    ["\nmodel:\n  dim: wide\n", ':3: model.dim: expected number, received string (got "wide")'],
    ["schedule: { name: cosin }", '"wsd" (got "cosin"): did you mean "cosine"?'],
    ["preset: tinny", ':1: preset: needs one of nano, tiny, small, base, got "tinny": did you mean "tiny"?'],
    ["preset: [1]", ":1: preset: needs one of nano, tiny, small, base, got [1]"],
    ["seed: 1\nseed: 2\n", ":2: Map keys must be unique"],
    ["a: {b: [", "run.yaml:1: "],
    ["- seed", "run.yaml: needs keys and values"],
    ["a: &a { b: *a }", "nested too deep"],
    ["router: { __proto__: { polluted: 1 } }", 'there is no key "router.__proto__.polluted"'],
    ["__proto__: { polluted: 1 }", 'there is no key "__proto__.polluted"'],
  ])("%j", async (yaml, message) => {
    await expect(resolved(yaml)).rejects.toThrow(message);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  test("many references to references are refused", async () => {
    const lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]"];
    for (let i = 1; i < 9; i++)
      lines.push(
        `a${i}: &a${i} [${Array(9)
          .fill(`*a${i - 1}`)
          .join(", ")}]`,
      );
    await expect(resolved(lines.join("\n"))).rejects.toThrow(/Excessive alias count/);
  });

  test("a file that is missing, a folder or too large", async () => {
    expect(() => resolveConfig({ config: join(folder, "no.yaml"), set: [] })).toThrow(/there is no file ".*no.yaml"/);
    expect(() => resolveConfig({ config: folder, set: [] })).toThrow(/--config: ".*": EISDIR/);
    await expect(resolved(`# ${"x".repeat(2 ** 20)}`)).rejects.toThrow(/needs at most 1048576 bytes/);
  });

  test("settings of the command line that are no keys", () => {
    for (const [setting, message] of [
      ["router.__proto__.polluted=1", 'there is no key "router.__proto__.polluted"'],
      ["optimizer.lrr=1", 'there is no key "optimizer.lrr": did you mean "optimizer.lr"?'],
      ['optimizer={"lr":1}', "optimizer: needs keys below it"],
      ['router.name={"toString":1}', "router.name: expected string, received object"],
      ["model.dim.deep=1", 'there is no key "model.dim.deep"'],
    ] as const) {
      expect(() => resolveConfig({ set: [setting] }), setting).toThrow(message);
    }
  });
});
