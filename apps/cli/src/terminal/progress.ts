import { SingleBar } from "cli-progress";
import color from "picocolors";
import { duration, shortNumber } from "./format";

/** The figures of a step that a person watches. */
export interface Progress {
  step: number;
  loss: number;
  lr: number;
  /** Norm of the gradients before clipping. */
  gradNorm: number;
  tokensPerSecond: number;
  elapsedSeconds: number;
}

/** Shows how a run goes: a bar on a terminal, a line now and then in a pipe. */
export interface ProgressDisplay {
  update(progress: Progress): void;
  /** Print lines without tearing the bar. */
  print(text: string): void;
  stop(): void;
}

/** A progress display for `steps` steps, of which `done` are behind; in a pipe a line every `every` steps. */
export function progressDisplay(
  steps: number,
  done: number,
  every: number,
  stream: NodeJS.WriteStream = process.stdout,
): ProgressDisplay {
  return stream.isTTY ? bar(steps, done, stream) : lines(steps, done, every, stream);
}

/** What stands behind the bar, the most wanted first, with the room each takes; what has no room is left out. */
const FIELDS: [text: string, width: number][] = [
  ["loss {loss}", 10],
  ["ETA {left}", 9],
  ["{speed} tokens/s", 14],
  ["lr {lr}", 10],
  ["grad {grad}", 10],
];

const BAR = { least: 8, most: 24 };

function bar(steps: number, done: number, stream: NodeJS.WriteStream): ProgressDisplay {
  const counter = 2 + 1 + 2 * String(steps).length + 1;
  let room = (stream.columns || 80) - 1 - counter - BAR.least;
  const fields = FIELDS.filter(([, width]) => {
    const fits = room >= width + 2;
    if (fits) room -= width + 2;
    return fits;
  });
  const format = [`  ${color.cyan("{bar}")} {value}/{total}`, ...fields.map(([text]) => text)].join("  ");
  const single = new SingleBar({
    format,
    barsize: Math.min(BAR.most, BAR.least + Math.max(0, room)),
    barCompleteChar: "█",
    barIncompleteChar: "░",
    hideCursor: true,
    stream,
  });
  const idle = { loss: "-", lr: "-", grad: "-", speed: "-", left: "-" };
  single.start(steps, done, idle);
  const left = timeLeft(steps, done);
  let last: Progress | undefined;
  return {
    update(progress) {
      last = progress;
      single.update(progress.step, {
        loss: progress.loss.toFixed(3),
        lr: rateText(progress.lr),
        grad: normText(progress.gradNorm),
        speed: shortNumber(progress.tokensPerSecond),
        left: duration(left(progress)),
      });
    },
    print(text) {
      single.stop();
      stream.write(`\x1b[1A\r\x1b[K${text}\n`); // stopping leaves the bar on the line above: write over it
      single.start(steps, last?.step ?? done, idle);
      if (last) this.update(last);
    },
    stop: () => single.stop(),
  };
}

function lines(steps: number, done: number, every: number, stream: NodeJS.WriteStream): ProgressDisplay {
  const left = timeLeft(steps, done);
  return {
    update(progress) {
      const { step, loss, lr, gradNorm, tokensPerSecond } = progress;
      const seconds = left(progress);
      if (step % every !== 0 && step !== steps && step !== 1) return;
      const figures = [
        `step ${String(step).padStart(String(steps).length)}/${steps}`,
        `loss ${loss.toFixed(4)}`,
        `lr ${rateText(lr)}`,
        `grad ${normText(gradNorm)}`,
        `${shortNumber(tokensPerSecond)} tokens/s`,
        `ETA ${duration(seconds)}`,
      ];
      stream.write(`${figures.join("  ")}\n`);
    },
    print(text) {
      stream.write(`${text}\n`);
    },
    stop: () => {},
  };
}

const rateText = (lr: number) => lr.toExponential(2);

/** 0.0123 as "0.0123", 1234.5 as "1.23k", and what is no number as it is. */
const normText = (norm: number) => (Number.isFinite(norm) ? shortNumber(norm) : String(norm));

/**
 * Estimates the seconds that are left, at the pace since the first step of this process: before it, kernels were compiled. That step's
 * own time is all there is to go by at first.
 */
function timeLeft(steps: number, done: number): (progress: Progress) => number {
  let first: Progress | undefined;
  return (progress) => {
    const { step, elapsedSeconds } = progress;
    first ??= progress;
    const [count, seconds] =
      step > first.step ? [step - first.step, elapsedSeconds - first.elapsedSeconds] : [step - done, elapsedSeconds];
    return (seconds / Math.max(1, count)) * (steps - step);
  };
}
