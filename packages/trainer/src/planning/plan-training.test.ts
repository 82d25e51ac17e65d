import { languageModel } from "@webmoe/model";
import { recurrentRouter } from "@webmoe/router-recurrent";
import { openGpu } from "@webmoe/webgpu/node";
import { matrixTarget, serialTarget } from "@webmoe/webgpu/testing";
import { expect, test } from "vitest";
import { openSession } from "../session";
import { type SettingsChanges, trainSettings } from "../settings";
import { planTraining, type TrainingPlan } from "./plan-training";

const moe = { experts: 4, topK: 2, hidden: 12, balanceLoss: 0.01, zLoss: 0 };
const model = languageModel({ vocab: 64, dim: 16, layers: 2, heads: 2, context: 32, moe }, recurrentRouter({ dim: 8 }));

const cases: [name: string, SettingsChanges][] = [
  ["AdamW", {}],
  ["gradient accumulation", { batch: { size: 2, accumulate: 3 } }],
  [
    "Muon, averaged weights and recomputation",
    { optimizer: { name: "muon" }, ema: { decay: 0.9 }, memory: { recompute: true } },
  ],
  ["mixed precision and frozen experts", { precision: "mixed", freeze: ["experts"] }],
];

test.each(cases)("the plan of a run is what the run takes: %s", async (_, changes) => {
  const gpu = await openGpu({ adapter: process.env.WEBMOE_TEST_ADAPTER });
  const settings = trainSettings(changes);
  const plan = await planTraining(gpu, model, settings);
  expect(gpu.memoryUsed).toBe(0);
  const session = await openSession(gpu, model, settings);
  expect(plan.memory).toEqual(session.memory);
  expect(plan.memory.total).toBe(gpu.memoryUsed);
  expect(plan.dispatches).toBe(session.stats.dispatches);
  // What is started by the plan is what the session waits for.
  const shaders = new Set(plan.kernels.flat().map(({ wgsl }) => wgsl));
  expect([...shaders].filter((wgsl) => !gpu.pipelines.has(wgsl))).toEqual([]);
  expect(shaders.size).toBeGreaterThanOrEqual(session.stats.pipelines);
  const trains = plan.kernels.map((kernels) => kernels.some(({ name }) => name.endsWith("Backward")));
  expect(trains.indexOf(false)).toBe(trains.findLastIndex((backward) => backward) + 1);
  expect(trains.at(-1)).toBe(false);
  gpu.close();
});

test("where weights have copies in f16, the plan counts them", async () => {
  const gpu = await openGpu({ adapter: process.env.WEBMOE_TEST_ADAPTER });
  const sizes = { dim: 512, vocab: 512, context: 512, moe: { ...moe, hidden: 512 } }; // large enough to pay
  const plan = (precision: "mixed" | "f32") =>
    planTraining({ ...gpu, target: matrixTarget }, model.resized(sizes), trainSettings({ precision }));
  const copies = ({ memory }: TrainingPlan) => memory.kinds.find(({ kind }) => kind === "f16 copies")?.bytes;
  const parameters = ({ memory }: TrainingPlan) => memory.kinds.find(({ kind }) => kind === "parameters")!.bytes;
  const mixed = await plan("mixed");
  expect(copies(mixed)).toBe(parameters(mixed) / 2);
  expect(mixed.memory.total).toBe(mixed.memory.kinds.reduce((sum, { bytes }) => sum + bytes, 0));
  gpu.close();
});

test.each([
  ["serial", serialTarget],
  ["matrix units", { ...matrixTarget, precision: "f32" }],
] as const)("the plan tells what memory is for: %s", async (_, target) => {
  const gpu = await openGpu({ adapter: process.env.WEBMOE_TEST_ADAPTER });
  const bytes = async (changes: SettingsChanges, vocab = 64) => {
    const { memory } = await planTraining({ ...gpu, target }, model.resized({ vocab }), trainSettings(changes));
    return Object.fromEntries(memory.kinds.map(({ kind, bytes }) => [kind, bytes]));
  };
  const [plain, wide] = [await bytes({}), await bytes({}, 1024)];
  // Beside batches that large, what kernels need for parts of sums is little.
  const [large, twice] = [await bytes({ batch: { size: 64 } }), await bytes({ batch: { size: 128 } })];
  gpu.close();
  expect(plain.optimizer! / plain.parameters!).toBeCloseTo(2, 1);
  expect(plain.gradients).toBe(plain.parameters);
  // Logits and their gradients, [8 x 32, vocab] each.
  expect(wide.logits).toBe(2 * 8 * 32 * 1024 * 4);
  expect(twice.activations! / large.activations!).toBeCloseTo(2, 1);
  expect(twice.parameters).toBe(plain.parameters);
});
