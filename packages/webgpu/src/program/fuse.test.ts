import { expect, test } from "vitest";
import type { KernelTarget } from "../kernel";
import { balanceBackward, probabilitySums } from "../kernels/balance";
import { copy } from "../kernels/elementwise";
import { combine } from "../kernels/expert-combine";
import { expertCount } from "../kernels/expert-sort";
import { addRmsNormForward } from "../kernels/rms-norm";
import { topKSoftmaxBackward, topKSoftmaxForward } from "../kernels/top-k";
import { kernelTargets } from "../testing";
import { fuse } from "./fuse";
import { planTools } from "./plan-tools";
import { Recording, type Storage } from "./recording";

const mixed: KernelTarget = { ...kernelTargets[1]!.target, precision: "mixed" };
const options = { topK: 2, renormalize: true };
const [tokens, experts, dim] = [100, 8, 16];

/** A layer's routing, its experts' rows added to the residual stream, and the gradient of its logits. */
function layer(target: KernelTarget = mixed) {
  const recording = new Recording(target, { maxStorageBufferBindingSize: 2 ** 30, maxBufferSize: 2 ** 30 });
  const storages = new Map<string, Storage>();
  const at = (name: string, items: number) => {
    const storage = storages.get(name) ?? recording.storage("temporary", items * 4, name);
    storages.set(name, storage);
    return { storage, offset: 0, bytes: storage.bytes };
  };
  const [scores, assignments] = [tokens * experts, tokens * options.topK];
  const read = (name: string, items: number, to = `${name}, read`) =>
    recording.dispatch(copy, { x: at(name, items), y: at(to, items) }, { items }, undefined);
  const choose = () => {
    const chosen = { expert: at("expert", assignments), weight: at("weight", assignments) };
    const given = { logits: at("logits", scores), mask: at("mask", tokens), probabilities: at("p", scores), ...chosen };
    recording.dispatch(topKSoftmaxForward, given, { tokens, experts }, options);
  };
  const count = (expert = "expert") => {
    const given = { expert: at(expert, assignments), counts: at("counts", 4 * experts), rank: at("rank", assignments) };
    recording.dispatch(expertCount, given, { assignments, experts, chunks: 4 }, undefined);
    const sums = { p: at("p", scores), partial: at("partial", 2 * experts) };
    recording.dispatch(probabilitySums, sums, { rows: tokens, cols: experts, chunks: 1 }, undefined);
  };
  const mix = () => {
    const given = { y: at("rows", 999 * dim), slot: at("slot", assignments), weight: at("weight", assignments) };
    recording.dispatch(combine, { ...given, out: at("out", tokens * dim) }, { tokens, topK: 2, dim }, undefined);
  };
  const norm = () => {
    const given = { x: at("x", tokens * dim), branch: at("out", tokens * dim), weight: at("scale", dim) };
    const written = { sum: at("sum", tokens * dim), y: at("y", tokens * dim), inverse: at("inverse", tokens) };
    recording.dispatch(addRmsNormForward, { ...given, ...written }, { rows: tokens, cols: dim, eps: 1e-5 }, undefined);
  };
  const flow = () => {
    const given = { slope: at("slope", experts), dloss: at("dloss", 1), dprobabilities: at("dp", scores) };
    recording.dispatch(balanceBackward, given, { rows: tokens, cols: experts }, undefined);
  };
  const back = () => {
    const chosen = { probabilities: at("p", scores), expert: at("expert", assignments) };
    const weights = { weight: at("weight", assignments), dweight: at("dweight", assignments) };
    const given = { ...chosen, ...weights, dprobabilities: at("dp", scores), dlogits: at("dlogits", scores) };
    recording.dispatch(topKSoftmaxBackward, given, { tokens, experts }, options);
  };
  const names = (...kept: string[]) => {
    const lasting = new Set(kept.map((name) => storages.get(name)!));
    return fuse(recording.dispatches, lasting, target, planTools).map(({ kernel }) => kernel.name);
  };
  return { read, choose, count, mix, norm, flow, back, names };
}

const plain = ["topKSoftmaxForward", "expertCount", "probabilitySums"];

test("what each layer does is done by fewer kernels", () => {
  const { choose, count, mix, norm, flow, back, names } = layer();
  for (const part of [choose, count, mix, norm, flow, back]) part();
  expect(names("expert", "weight", "sum", "partial")).toEqual([
    "countedTopK",
    "addRmsNormOfExperts",
    "topKSoftmaxBackwardOfBalance",
  ]);
});

test.each([
  ["in f32", { ...mixed, precision: "f32" as const }],
  ["on software adapters", { ...mixed, kernelClass: "serial" as const }],
])("each has a kernel of its own %s", (_name, target) => {
  const { choose, count, mix, norm, names } = layer(target);
  for (const part of [choose, count, mix, norm]) part();
  expect(names()).toEqual([...plain, "combine", "addRmsNormForward"]);
});

test("where something else reads what lies between, it is written", () => {
  const { mix, norm, flow, back, read, names } = layer();
  mix();
  norm();
  read("out", tokens * dim);
  flow();
  back();
  expect(names("dp")).toEqual(["combine", "addRmsNormForward", "copy", "balanceBackward", "topKSoftmaxBackward"]);
});

test("what a kernel reads has to be what it was", () => {
  const { mix, norm, read, names } = layer();
  mix();
  read("other slots", 2 * tokens, "slot");
  norm();
  expect(names()).toEqual(["combine", "copy", "addRmsNormForward"]);
});

test("other experts than the chosen ones are counted apart, and so is what is used before", () => {
  const dropped = layer();
  dropped.choose();
  dropped.read("expert", 2 * tokens, "within capacity");
  dropped.count("within capacity");
  expect(dropped.names()).toEqual(["topKSoftmaxForward", "copy", "expertCount", "probabilitySums"]);

  const used = layer();
  used.choose();
  used.read("partial", 2 * experts);
  used.count();
  expect(used.names()).toEqual(["topKSoftmaxForward", "copy", "expertCount", "probabilitySums"]);
});
