// What the set-up prints: one line for a thing done, to stderr, so that `--json` on stdout stays clean.

const out = process.stderr;
const colour = out.isTTY && !process.env.NO_COLOR;
const paint = (/** @type {number} */ code, /** @type {string} */ text) =>
  colour ? `\u001b[${code}m${text}\u001b[0m` : text;

/**
 * A thing that is done or decided.
 * @param {string} text
 */
export function done(text) {
  out.write(`${paint(32, "✓")} ${text}\n`);
}

/**
 * Something the user should know.
 * @param {string} text
 */
export function note(text) {
  out.write(`${paint(33, "•")} ${text}\n`);
}

/**
 * The end: what went wrong and what to do, without a stack trace.
 * @param {unknown} error
 */
export function failed(error) {
  const text = error instanceof Error ? error.message : String(error);
  out.write(`${paint(31, "✗")} ${text}\n`);
  if (process.env.WEBMOE_DEBUG && error instanceof Error) out.write(`${error.stack}\n`);
}

/**
 * Run a task that takes seconds: one line while it runs, replaced by one line when it is done.
 * @template T
 * @param {string} doing what is happening, such as "installing packages"
 * @param {(result: T, seconds: number) => string | undefined} finished the line for the result; none: the line is wiped
 * @param {() => Promise<T>} task
 * @returns {Promise<T>}
 */
export async function during(doing, finished, task) {
  const start = Date.now();
  const seconds = () => Math.round((Date.now() - start) / 1000);
  const show = () => out.write(`\r\u001b[2K${paint(2, `… ${doing}${seconds() > 1 ? ` (${seconds()} s)` : ""}`)}`);
  if (out.isTTY) show();
  else note(doing);
  const timer = out.isTTY ? setInterval(show, 1000) : undefined;
  const wipe = () => {
    clearInterval(timer);
    if (out.isTTY) out.write("\r\u001b[2K");
  };
  try {
    const result = await task();
    wipe();
    const line = finished(result, seconds());
    if (line) done(line);
    return result;
  } catch (error) {
    wipe();
    throw error;
  }
}
