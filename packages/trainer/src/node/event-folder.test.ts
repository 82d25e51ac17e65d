import { execFile } from "node:child_process";
import { appendFile, mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { createRun, openRun } from "./run-folder";

/**
 * Reads every event file of a folder and prints its events: with TensorBoard's own loader where Python has it, else by the
 * definitions of TFRecord and of protocol buffers, bit by bit, which shares nothing with the writer.
 */
const READER = `
import glob, json, os, struct, sys
files = sorted(glob.glob(os.path.join(sys.argv[1], "events.out.tfevents.*")))
def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82f63b78 & -(crc & 1))
    return crc ^ 0xffffffff
def masked(data):
    crc = crc32c(data)
    return (((crc >> 15) | (crc << 17)) + 0xa282ead8) & 0xffffffff
def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]; at += 1
        value |= (byte & 127) << shift; shift += 7
        if byte < 128: return value, at
def fields(data):
    at = 0
    while at < len(data):
        head, at = varint(data, at)
        wire = head & 7
        if wire == 0: value, at = varint(data, at)
        elif wire == 1: value, at = struct.unpack("<d", data[at:at + 8])[0], at + 8
        elif wire == 5: value, at = struct.unpack("<f", data[at:at + 4])[0], at + 4
        else:
            length, at = varint(data, at)
            value, at = data[at:at + length], at + length
        yield head >> 3, value
def by_hand(file):
    data, at = open(file, "rb").read(), 0
    while at < len(data):
        length, crc = struct.unpack("<QI", data[at:at + 12])
        assert masked(data[at:at + 8]) == crc, "crc of a length"
        body = data[at + 12:at + 12 + length]
        assert len(body) == length and masked(body) == struct.unpack("<I", data[at + 12 + length:at + 16 + length])[0], "crc of an event"
        at += 16 + length
        event = dict(fields(body))
        values = [dict(fields(value)) for number, summary in fields(body) if number == 5 for _, value in fields(summary)]
        yield {"time": event[1], "step": event.get(2, 0), "version": event.get(3, b"").decode(), "start": 7 in event,
               "values": {value[1].decode(): value[2] for value in values}}
def by_tensorboard(file):
    from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
    from tensorboard.compat.proto.event_pb2 import Event
    for raw in RawEventFileLoader(file).Load():
        event = Event.FromString(raw)
        yield {"time": event.wall_time, "step": event.step, "version": event.file_version,
               "start": event.session_log.status == 1, "values": {value.tag: value.simple_value for value in event.summary.value}}
try:
    import tensorboard.backend.event_processing.event_file_loader
    read = by_tensorboard
except ImportError:
    read = by_hand
print(json.dumps([list(read(file)) for file in files]))
`;

interface PythonEvent {
  time: number;
  step: number;
  version: string;
  start: boolean;
  values: Record<string, number>;
}

/** The events of each file, as Python reads them. */
async function eventsIn(folder: string): Promise<PythonEvent[][]> {
  const { stdout } = await promisify(execFile)("python3", ["-c", READER, folder]);
  return JSON.parse(stdout);
}

const newRun = async () => createRun(join(await mkdtemp(join(tmpdir(), "webmoe-events-")), "run"), {});
const record = (step: number) => ({ step, loss: 1 / step, lr: 0.5, router: { balance: [1, 2], load: [[3], [4]] } });

test("figures are read back by another program", async () => {
  const run = await newRun();
  await run.writeEvents(0);
  await run.appendMetrics({ ...record(1), gradNorm: 2.5, tokensPerSecond: 1e4, elapsedSeconds: 3 });
  await run.appendMetrics({ step: 300, split: "validation", loss: 2, bitsPerByte: 3 });
  await run.close();
  const [[version, start, ...events]] = (await eventsIn(run.path)) as [PythonEvent[]];
  expect(version).toMatchObject({ step: 0, version: "brain.Event:2" });
  expect(start).toMatchObject({ step: 1, start: true });
  expect(Math.abs(events[0]!.time - Date.now() / 1000)).toBeLessThan(600);
  expect(events.map(({ step, values }) => ({ step, values }))).toEqual([
    {
      step: 1,
      values: {
        "train/loss": 1,
        "train/learning_rate": 0.5,
        "train/grad_norm": 2.5,
        "train/tokens_per_second": 1e4,
        "router/balance/layer_0": 1,
        "router/balance/layer_1": 2,
      },
    },
    { step: 300, values: { "validation/loss": 2, "validation/bits_per_byte": 3 } },
  ]);
});

test("a run that goes on writes no step twice, also after a record that was cut off", async () => {
  const run = await newRun();
  await run.writeEvents(0);
  for (const step of [1, 2, 3, 4, 5]) await run.appendMetrics(record(step));
  await run.close();
  const [name] = (await readdir(run.path)).filter((name) => name.startsWith("events."));
  await appendFile(join(run.path, name!), Uint8Array.of(9, 0, 0));

  const again = await openRun(run.path);
  await again.truncateMetrics(3);
  await again.writeEvents(3);
  for (const step of [4, 5, 6]) await again.appendMetrics(record(step));
  await again.close();
  const files = await eventsIn(run.path);
  expect(files).toHaveLength(2);
  expect(files[1]![1]).toMatchObject({ start: true, step: 4 });
  const steps = (events: PythonEvent[]) =>
    events.filter(({ values }) => "train/loss" in values).map(({ step }) => step);
  expect(files.map(steps)).toEqual([
    [1, 2, 3],
    [4, 5, 6],
  ]);
});

test("what is behind a damaged record is dropped", async () => {
  const run = await newRun();
  await run.writeEvents(0);
  for (const step of [1, 2, 3]) await run.appendMetrics(record(step));
  await run.close();
  const [name] = (await readdir(run.path)).filter((name) => name.startsWith("events."));
  const file = join(run.path, name!);
  const bytes = await readFile(file);
  bytes[bytes.length - 6]! ^= 1;
  await writeFile(file, bytes);
  await (await openRun(run.path)).writeEvents(3);
  const [first] = await eventsIn(run.path);
  expect(first!.map(({ step }) => step)).toEqual([0, 1, 1, 2]);
});

test("without writeEvents there are no event files", async () => {
  const run = await newRun();
  await run.appendMetrics(record(1));
  expect((await readdir(run.path)).filter((name) => name.startsWith("events."))).toEqual([]);
});
