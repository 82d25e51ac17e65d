import { languageModel, presets } from "@webmoe/model";
import { linearRouter } from "@webmoe/router-linear";
import { recurrentRouter } from "@webmoe/router-recurrent";
import { planningGpu } from "@webmoe/webgpu";
import { openGpu } from "@webmoe/webgpu/node";
import { matrixTarget } from "@webmoe/webgpu/testing";
import { describe, expect, test } from "vitest";
import { presetSettings } from "./preset-settings";
import { openSession } from "./session";

const routers = { linear: linearRouter(), recurrent: recurrentRouter() };

describe.each(["tiny", "small"] as const)("a step of %s that says what its routers did", (preset) => {
  test.each(["linear", "recurrent"] as const)("takes no kernel and no copy more: %s", async (router) => {
    const gpu = await openGpu({ adapter: process.env.WEBMOE_TEST_ADAPTER });
    const plan = async (routing: boolean) => {
      const planning = planningGpu({ ...gpu, target: matrixTarget });
      const model = languageModel(presets[preset].model, routers[router]);
      const { stats } = await openSession(
        planning,
        model,
        { ...presetSettings(preset), precision: "mixed" },
        { routing },
      );
      return stats;
    };
    const [silent, full] = [await plan(false), await plan(true)];
    gpu.close();
    expect(full.dispatches).toBe(silent.dispatches);
    expect(full.copies).toBe(silent.copies);
    expect(full.bytes.readback).toBeGreaterThan(silent.bytes.readback);
  });
});
