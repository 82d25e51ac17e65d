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
export function progressDisplay(steps: number, done: number, every: number): ProgressDisplay {
  return process.stdout.isTTY ? bar(steps, done) : lines(steps, every);
}

function bar(steps: number, done: number): ProgressDisplay {
  const format = `  ${color.cyan("{bar}")} {value}/{total}  loss {loss}  {speed} tokens/s  ETA {left}`;
  const single = new SingleBar({
    format,
    barsize: 24,
    barCompleteChar: "█",
    barIncompleteChar: "░",
    hideCursor: true,
    stream: process.stdout,
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
      process.stdout.write(`\r\x1b[K${text}\n`);
      single.start(steps, last?.step ?? done, idle);
      if (last) this.update(last);
    },
    stop: () => single.stop(),
  };
}

function lines(steps: number, every: number): ProgressDisplay {
  return {
    update(progress) {
      const { step, loss, tokensPerSecond } = progress;
      if (step % every !== 0 && step !== steps && step !== 1) return;
      console.log(
        `step ${step}/${steps}  loss ${loss.toFixed(4)}  ${shortNumber(tokensPerSecond)} tokens/s  ETA ${duration(remaining(progress, steps, 0))}`,
      );
    },
    print: (text) => console.log(text),
    stop: () => {},
  };
}

function remaining({ step, elapsedSeconds }: Progress, steps: number, done: number): number {
  return (elapsedSeconds / Math.max(1, step - done)) * (steps - step);
}
