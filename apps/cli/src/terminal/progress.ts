import { SingleBar } from "cli-progress";
import color from "picocolors";
import { duration, shortNumber } from "./format";

/** The figures of a step that a person watches. */
export interface Progress {
  step: number;
  loss: number;
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

function bar(steps: number, done: number, stream: NodeJS.WriteStream): ProgressDisplay {
  const format = `  ${color.cyan("{bar}")} {value}/{total}  loss {loss}  {speed} tokens/s  ETA {left}`;
  const single = new SingleBar({
    format,
    barsize: 24,
    barCompleteChar: "█",
    barIncompleteChar: "░",
    hideCursor: true,
    stream,
  });
  const idle = { loss: "-", speed: "-", left: "-" };
  single.start(steps, done, idle);
  let last: Progress | undefined;
  return {
    update(progress) {
      last = progress;
      single.update(progress.step, {
        loss: progress.loss.toFixed(3),
        speed: shortNumber(progress.tokensPerSecond),
        left: duration(remaining(progress, steps, done)),
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
  return {
    update(progress) {
      const { step, loss, tokensPerSecond } = progress;
      if (step % every !== 0 && step !== steps && step !== 1) return;
      const left = duration(remaining(progress, steps, done));
      stream.write(
        `step ${step}/${steps}  loss ${loss.toFixed(4)}  ${shortNumber(tokensPerSecond)} tokens/s  ETA ${left}\n`,
      );
    },
    print(text) {
      stream.write(`${text}\n`);
    },
    stop: () => {},
  };
}

function remaining({ step, elapsedSeconds }: Progress, steps: number, done: number): number {
  return (elapsedSeconds / Math.max(1, step - done)) * (steps - step);
}
