import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { sets, webmoeIn } from "./run-webmoe";

const webmoe = webmoeIn(await mkdtemp(join(tmpdir(), "webmoe-limit-")));
const small = sets(
  "model.dim=16",
  "model.context=16",
  "batch.size=4",
  "moe.hidden=8",
  "memory.limit=0.0005",
  "router.name=linear",
);

test.each([["compare", "--routers", "linear", "--seeds", "1"], ["bench"], ["soak"]])(
  "%s honours memory.limit",
  async (...args) => {
    const { code, out, error } = await webmoe(...args, ...small, "--steps", "400");
    expect(code).toBe(1);
    const said = out + error;
    expect(said).toMatch(/needs \S+ [KM]iB on the device, where the limit is 524 KiB/);
    expect(said).toMatch(/settings that fit into 524 KiB:\n {2}batch\.size=\d/);
  },
);
