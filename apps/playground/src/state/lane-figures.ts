import { type Signal, signal } from "@preact/signals";
import type { Configuration } from "../configuration/configuration";
import type { MetricsRecord } from "../storage/metrics-until";
import type { TrainingEvent } from "../training/messages";

type Of<Kind extends TrainingEvent["kind"]> = Extract<TrainingEvent, { kind: Kind }>;

/** What is known of one run. Lists grow in place; `version` tells that they did. */
export interface LaneFigures {
  readonly configuration: Configuration;
  readonly version: Signal<number>;
  readonly ready: Signal<Of<"ready"> | undefined>;
  readonly latest: Signal<Of<"step"> | undefined>;
  readonly validation: Signal<Of<"validation"> | undefined>;
  readonly routing: Signal<Of<"routing"> | undefined>;
  readonly sample: Signal<Of<"sample"> | undefined>;
  /** Settings that fit, where those of the run do not. */
  readonly fitting: Signal<Of<"fitting"> | undefined>;
  /** What happened last that is worth saying. */
  readonly notice: Signal<string | undefined>;
  /** Step of the last checkpoint. */
  readonly kept: Signal<number | undefined>;
  readonly steps: Of<"step">[];
  readonly validations: Of<"validation">[];
}

/** Nothing known yet. */
export function laneFigures(configuration: Configuration): LaneFigures {
  return {
    configuration,
    version: signal(0),
    ready: signal(undefined),
    latest: signal(undefined),
    validation: signal(undefined),
    routing: signal(undefined),
    sample: signal(undefined),
    fitting: signal(undefined),
    notice: signal(undefined),
    kept: signal(undefined),
    steps: [],
    validations: [],
  };
}

/** Take in what happened. A step that comes again, after a resume, replaces what followed it. */
export function receive(lane: LaneFigures, events: TrainingEvent[]): void {
  for (const event of events) {
    if (event.kind === "step") {
      while (lane.steps.length > 0 && lane.steps.at(-1)!.step >= event.step) lane.steps.pop();
      lane.steps.push(event);
      lane.latest.value = event;
    } else if (event.kind === "validation") {
      while (lane.validations.length > 0 && lane.validations.at(-1)!.step >= event.step) lane.validations.pop();
      lane.validations.push(event);
      lane.validation.value = event;
    } else if (event.kind === "ready") lane.ready.value = event;
    else if (event.kind === "routing") lane.routing.value = event;
    else if (event.kind === "sample") lane.sample.value = event;
    else if (event.kind === "fitting") lane.fitting.value = event;
    else if (event.kind === "notice") lane.notice.value = event.message;
    else lane.kept.value = event.step;
  }
  lane.version.value++;
}

/** The event that a line of metrics.jsonl was written at. */
export function eventOf({ split, router, elapsedSeconds = 0, ...figures }: MetricsRecord): TrainingEvent {
  if (split === "validation") return { kind: "validation", ...figures } as Of<"validation">;
  const { load = [], entropy = [] } = router ?? {};
  return { kind: "step", ...figures, seconds: elapsedSeconds, load, entropy } as Of<"step">;
}
