import { expect, test } from "vitest";
import { type CodeFault, compileCode, faultOf, withCauses } from "./compile-code";
import { example } from "./example";

test("TypeScript becomes the body of a function, line by line", async () => {
  const result = await compileCode(example);
  const { compiled } = result as { compiled: string };
  expect(compiled.split("\n")).toHaveLength(example.split("\n").length);
  expect(compiled.split("\n")[7]).toContain('name: "my router"');
  const exports: Record<string, unknown> = {};
  new Function("require", "exports", compiled)(() => ({ defineRouter: (router: object) => router }), exports);
  expect((exports.default as () => object)()).toMatchObject({ name: "my router" });
});

test("what cannot be read is said with its line, also inside an arrow function", async () => {
  const fault = async (code: string) => ((await compileCode(code)) as { fault: CodeFault }).fault;
  expect(await fault("const a = 1;\nconst = 1;\n")).toEqual({ message: "Unexpected token", line: 2 });
  expect(await fault(example.replace("shared: {},", "shared: {,"))).toMatchObject({ line: 10 });
  expect(await fault("const a = 1;\nconst a = 2;\n")).toMatchObject({
    message: expect.stringMatching(/already been declared/),
    line: 2,
  });
});

test("an error is at the first line of its stack that lies in the code", () => {
  const error = new Error("no");
  error.stack =
    "Error: no\n at x (http://localhost/worker.js:1:9)\n at f (blob:http://localhost/1-2:8:3)\n at blob:http://localhost/1-2:1:5";
  expect(faultOf(error, 1)).toEqual({ message: "no", line: 7 });
  error.stack = "Error: no\n at x (http://localhost/worker.js:1:9)";
  expect(faultOf(error, 1)).toEqual({ message: "no", line: undefined });
});

test("an error tells of its causes' places", () => {
  const cause = new Error("inner");
  cause.stack = "Error: inner\n at f (blob:http://localhost/1-2:8:3)";
  const error = new Error("outer", { cause });
  error.stack = "Error: outer\n at x (http://localhost/worker.js:1:9)";
  expect(faultOf(withCauses(error), 1)).toEqual({ message: "outer", line: 7 });
});
