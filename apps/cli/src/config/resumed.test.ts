import { expect, test } from "vitest";
import { resolveConfig } from "./resolve";
import { resumedConfig } from "./resumed";

const flags = {
  preset: "nano",
  router: "recurrent",
  steps: 6,
  set: ["model.dim=16", "router.dim=8", "schedule.warmup=20"],
};
const saved = resolveConfig(flags);

test("the flags of the run itself, or none, change nothing", () => {
  expect(resumedConfig(saved, flags, "run")).toEqual(saved);
  expect(resumedConfig(saved, { set: [] }, "run")).toEqual(saved);
  expect(resumedConfig({ ...saved, start: { from: "old" } }, { set: [], initFrom: "old" }, "run").start.from).toBe(
    "old",
  );
});

test("steps, what is printed and kept, and the adapter may change", () => {
  const more = resumedConfig(
    saved,
    {
      ...flags,
      steps: 9,
      onNan: "stop",
      adapter: "software",
      set: [...flags.set, "log.every=1", "checkpoint.every=5"],
    },
    "run",
  );
  expect(more).toEqual({
    ...saved,
    train: { steps: 9, onNan: "stop" },
    adapter: "software",
    log: { ...saved.log, every: 1 },
    checkpoint: { ...saved.checkpoint, every: 5 },
  });
});

test.each([
  [{ set: ["optimizer.lr=0.1"] }, "has optimizer.lr 0.003 and not 0.1: leave that out"],
  [{ set: [], seed: 2 }, "has seed 1 and not 2"],
  [{ set: [], preset: "tiny" }, 'has preset "nano" and not "tiny"'],
  [{ set: [], router: "linear" }, 'has router.name "recurrent" and not "linear"'],
  [{ set: [], freeze: "router" }, 'has freeze nothing and not ["router"]'],
  [{ set: [], initFrom: "other" }, 'has start.from nothing and not "other"'],
  [{ set: ["batch.size=3", "ema.decay=0.9"] }, "has batch.size 8 and not 3, ema.decay 0 and not 0.9"],
])("%j would be another run, and is refused", (given, message) => {
  expect(() => resumedConfig(saved, given, "runs/a")).toThrow(message);
  expect(() => resumedConfig(saved, given, "runs/a")).toThrow('--resume: the run in "runs/a"');
});
