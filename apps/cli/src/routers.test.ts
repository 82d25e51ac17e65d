import { batchAt } from "@webmoe/data";
import { routerNames } from "@webmoe/routers";
import { type DeviceTensor, leaves, readTensor } from "@webmoe/tensor";
import { openSession, trainSettings } from "@webmoe/trainer";
import { testGpu } from "@webmoe/webgpu/testing";
import { afterEach, describe, expect, test, vi } from "vitest";
import { paramsCommand } from "./commands/params";
import { resolveConfig } from "./config/resolve";
import { makeRouter } from "./routers";
import { makeModel } from "./run-model";

afterEach(() => vi.restoreAllMocks());

const medium = ["model.layers=8", "model.dim=352", "moe.experts=16", "router.bias=true"];

/** What `webmoe params --json` prints. */
async function params(router: string, set: string[]): Promise<Record<string, number>> {
  const printed = vi.spyOn(console, "log").mockImplementation(() => {});
  await paramsCommand({ preset: "nano", router, set, json: true });
  return JSON.parse(printed.mock.calls.at(-1)![0]);
}

describe("parameters of the paper's medium model, table 1 and table 6", () => {
  test.each([
    ["linear", [], 45_184, 0],
    ["recurrent", [], 477_056, 0],
    ["recurrent", ["router.cell=rnn"], 8 * (352 * 128 + 128 + 128 * 16 + 16) + 2 * 128 * 128 + 2 * 128, 0],
    ["recurrent", ["router.cell=lstm"], 8 * (352 * 128 + 128 + 128 * 16 + 16) + 8 * 128 * 128 + 8 * 128, 0],
    ["recurrent", ["router.projection=none"], 201_600, 0],
    ["mlp", [], 755_840, 0],
    ["xmoe", [], 47_112, 0],
    ["cosine", [], 8 * (352 * 16 + 1), 0],
    ["hyper", [], 2_816, 12_335_232],
    ["random", [], 0, 45_184],
    ["hash", [], 0, 8 * 256 * 16],
    ["stable", [], 8 * (352 * 16 + 50 * 16) + 256 * 50, 1 + 256 * 50 + 8 * 50 * 16],
    ["loss-free", [], 8 * 352 * 16, 8 * 16],
    ["sigmoid", [], 45_184, 0],
    ["remoe", [], 8 * 352 * 16, 3],
    ["omni", [], 352 * 16 + 16, 0],
    ["expert-choice", [], 45_184, 0],
    ["flow", [], 8 * (352 * 32 + 4 * 352 + 4 * 4 * (16 * 16 + 16) + 32 * 16 + 16), 0],
    ["dense", [], 0, 2],
    [
      "recurrent+xmoe",
      ["router.head.dim=8"],
      8 * (352 * 128 + 128 + 128 * 8 + 16 * 8 + 1) + 6 * 128 * 128 + 6 * 128,
      0,
    ],
  ])("%s %j", async (name, set, learned, frozen) => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    const size = await params(name, [...medium, ...set]);
    expect([size.router, size.routerFrozen]).toEqual([learned, frozen]);
  });

  test.each([
    ["linear", [], 2 * 45_184],
    ["random", [], 2 * 45_184],
    ["hyper", [], 2 * 45_184],
    ["hash", [], 0],
    ["omni", [], 2 * 45_184],
    ["stable", [], 2 * 8 * 16 * (352 + 50)],
    ["recurrent", [], 2 * 8 * (352 * 128 + 128 + 128 * 16 + 16 + 6 * 128 * 128 + 6 * 128)],
    ["recurrent+xmoe", [], 2 * 8 * (352 * 128 + 128 + 128 * 16 + 16 * 16 + 1 + 6 * 128 * 128 + 6 * 128)],
  ])("forward FLOPs of the scores of a token, %s", async (name, set, flops) => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    expect((await params(name, [...medium, ...set])).routerFlopsPerToken).toBe(flops);
  });

  test("a dense layer of the active size has the active parameters, one of the total size all", async () => {
    const routed = await params("linear", medium.slice(0, 3));
    const active = await params("dense", medium.slice(0, 3));
    expect(active.total).toBe(active.active);
    expect(active.active).toBe(routed.active! - routed.router!);
    const total = await params("dense", [...medium.slice(0, 3), "router.size=total"]);
    expect(total.active).toBe(total.total);
    expect(total.total).toBe(routed.total! - routed.router!);
  });
});

test("options that mean nothing to a router are said and left out", async () => {
  const said = vi.spyOn(console, "error").mockImplementation(() => {});
  await makeRouter({ name: "xmoe", bias: true, dim: 8 });
  expect(said).toHaveBeenCalledWith("router.bias: means nothing to the xmoe router and is left out");
  await expect(makeRouter({ name: "xmoe", cell: "gru" })).rejects.toThrow(
    "router.cell: the xmoe router has no such option",
  );
  const head = makeRouter({ name: "recurrent+xmoe", head: { dimm: 3 } });
  await expect(head).rejects.toThrow(
    'router.head.dimm: the recurrent+xmoe router has no such option: did you mean "dim"?',
  );
  await expect(makeRouter({ name: "recurrent+nothing" })).rejects.toThrow(
    "--router: needs a file or one of recurrent,",
  );
  await expect(makeRouter({ name: "constructor" })).rejects.toThrow("--router: needs a file or one of recurrent,");
});

// The first loss, of values that are all but zero, is ln 256.
describe("five steps on one batch", () => {
  const small = ["model.dim=16", "model.context=16", "model.layers=2", "moe.hidden=16", "moe.experts=4"];
  const more: Record<string, string[]> = { stable: ["router.switchAt=3"] };

  test.each([
    ...routerNames.map((name) => [name, more[name] ?? []] as const),
    ["recurrent", ["router.cell=lstm", "router.residual=0.5"]] as const,
    ["recurrent+loss-free", ["router.dim=8", "router.head.rate=0.1"]] as const,
    ["dense", ["router.size=total"]] as const,
  ])("%s %j", async (name, set) => {
    const config = resolveConfig({ preset: "nano", router: name, set: [...small, ...set] });
    const model = await makeModel(config);
    const settings = trainSettings({ batch: { size: 4 } });
    const session = await openSession(await testGpu(), model, settings);
    try {
      const text = new TextEncoder().encode("She sells sea shells by the sea shore, and so on. ".repeat(9));
      const batch = batchAt(text, { batch: 4, context: 16, seed: 1, step: 0 });
      const before = await valuesOf(session.state.buffers);
      const losses: number[] = [];
      for (let step = 0; step < 5; step++) {
        const { loss, load } = await (await session.step([batch], 0.01)).values;
        losses.push(loss);
        expect(load.flat().every(Number.isFinite)).toBe(true);
      }
      expect(losses.every(Number.isFinite)).toBe(true);
      expect(losses[0]).toBeCloseTo(Math.log(256), 1);
      for (let step = 1; step < 5; step++) expect(losses[step]).toBeLessThan(losses[step - 1]!);
      const changes = (await valuesOf(session.state.buffers)) !== before;
      expect(changes).toBe(/loss-free|remoe|stable/.test(name));
      expect((await session.evaluate(batch)).loss).toBeLessThan(losses[0]!);
    } finally {
      session.close();
    }
  });
});

async function valuesOf(tree: unknown): Promise<string> {
  const values = await Promise.all(leaves<DeviceTensor>(tree).map(([, leaf]) => readTensor(leaf)));
  return values.map((array) => [...array].join()).join(";");
}
