import { expect, test } from "vitest";
import { contestantWith, folderName, parseContestants } from "./contestants";

test("names, options and labels", () => {
  expect(parseContestants("linear, recurrent+xmoe:head.dim=8:bias=true,NP=recurrent:state=false")).toEqual([
    { label: "linear", router: "linear", options: [] },
    { label: "recurrent+xmoe:head.dim=8:bias=true", router: "recurrent+xmoe", options: ["head.dim=8", "bias=true"] },
    { label: "NP", router: "recurrent", options: ["state=false"] },
  ]);
});

test("a colon of a path is no option", () => {
  expect(parseContestants("C:/routers/mine.ts:hidden=16")).toEqual([
    { label: "C:/routers/mine.ts:hidden=16", router: "C:/routers/mine.ts", options: ["hidden=16"] },
  ]);
});

test.each([
  ["linear,", 'needs NAME[:OPTION=VALUE]… between commas, got ""'],
  ["recurrent:state", 'needs NAME[:OPTION=VALUE]… between commas, got "recurrent:state"'],
  ["a=linear,a=xmoe", '"a" is there twice'],
  ["linear,linear", '"linear" is there twice'],
])("%s", (text, message) => {
  expect(() => parseContestants(text)).toThrow(message);
});

test("folders have names that every system takes", () => {
  expect(folderName("recurrent+xmoe:head.dim=8")).toBe("recurrent+xmoe-head.dim=8");
  expect(folderName("../other/mine.ts")).toBe("other-mine.ts");
  expect(folderName("..")).toBe("router");
});

test("a baseline that is not there is named with what there is", () => {
  expect(() => contestantWith("lineer", parseContestants("linear,xmoe"))).toThrow(
    '--baseline: needs one of linear, xmoe, got "lineer": did you mean "linear"?',
  );
});
