import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { roundRequests } from "./requests";

test("every line asks for a round, and is answered when the round is over", async () => {
  const said: string[] = [];
  for await (const { counts } of roundRequests(Readable.from(["warm\ntime\n", "time\n"]), (line) => said.push(line))) {
    said.push(counts ? "timed" : "warmed");
  }
  const over = (kind: string) => JSON.stringify({ round: kind });
  expect(said).toEqual(['{"ready":true}', "warmed", over("warm"), "timed", over("time"), "timed", over("time")]);
});
