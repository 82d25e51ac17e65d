import { createInterface } from "node:readline";

/** Rounds that other programs wait for. */
export interface RoundRequest {
  /** Whether its figures are wanted: the first rounds warm the device. */
  counts: boolean;
}

/**
 * How a program that has the same device times its own work in turns with ours: after a line that says we are ready it writes a line
 * for each round, "warm" or "time", and waits for the line that says we are through. It ends the input when it has enough.
 */
export async function* roundRequests(input: NodeJS.ReadableStream, say: (line: string) => void) {
  say(JSON.stringify({ ready: true }));
  for await (const line of createInterface({ input })) {
    yield { counts: line.trim() !== "warm" } satisfies RoundRequest;
    say(JSON.stringify({ round: line.trim() }));
  }
}
