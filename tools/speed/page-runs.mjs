// What the page says of whole runs: curves in both precisions, scans of experts, text, reading figures, and long sequences.

import { gib, mean, quantile, ratioOf, table, thousands } from "./markdown.mjs";

/** @typedef {import("./page.mjs").Figure} Figure */

/** How many losses the end of a curve is. */
const END = 50;

/** @param {Figure[]} curves */
export function curves(curves) {
  const seeds = [...new Set(curves.map(({ seed }) => /** @type {number} */ (seed)))];
  const pairs = seeds.flatMap((seed) => {
    const [mixed, f32] = ["mixed", "f32"].map((precision) =>
      curves.find((curve) => curve.seed === seed && curve.precision === precision),
    );
    return mixed && f32 ? [{ seed, mixed, f32, difference: endOf(mixed) - endOf(f32) }] : [];
  });
  if (pairs.length === 0) return [];
  const signed = (/** @type {number} */ value) => `${value < 0 ? "" : "+"}${value.toFixed(3)}`;
  const differences = pairs.map(({ difference }) => difference);
  const difference = mean(differences);
  const squares = differences.map((each) => (each - difference) ** 2);
  const deviation = Math.sqrt((mean(squares) * pairs.length) / (pairs.length - 1));
  const steps = curves[0]?.losses.length;
  const rows = pairs.map(({ seed, mixed, f32, difference }) => [
    String(seed),
    `${mixed.losses[0].toFixed(3)} / ${f32.losses[0].toFixed(3)}`,
    endOf(mixed).toFixed(3),
    endOf(f32).toFixed(3),
    signed(difference),
    `${mixed.lossScale}, ${mixed.skipped} skipped`,
  ]);
  return [
    "## Training in both precisions",
    `${steps} steps of each seed; losses in nats a token, at the end the mean of the last ${END}. Two trainings that differ in rounding part after some hundred steps, as two seeds do.`,
    table(["seed", "first loss, mixed / f32", "end, mixed", "end, f32", "difference", "loss scale"], rows),
    `Mean difference of mixed to f32: **${signed(difference)}**${pairs.length > 1 ? `, standard deviation over seeds ${deviation.toFixed(3)}` : ""}.`,
  ];
}

/** @param {Figure} curve */
const endOf = ({ losses }) => mean(losses.slice(-END));

/** @param {Figure[]} scan */
export function experts(scan) {
  if (scan.length === 0) return [];
  /** Milliseconds of all kernels but the optimizer's, in every round. */
  const rounds = scan.map(({ profile }) => {
    const rest = /** @type {Figure[]} */ (profile).filter(
      ({ kernel }) => !/^adamw|sumOfSquares|clip|unscale/.test(kernel),
    );
    const one = /** @type {number[]} */ (rest[0]?.rounds ?? []);
    return one.map((_, round) => rest.reduce((sum, { rounds }) => sum + rounds[round], 0) / 1000);
  });
  const rows = scan.map(({ label, msPerStep, planBytes }, index) => {
    const kernels = rounds[index] ?? [];
    const ratio = ratioOf(kernels, rounds[0] ?? []);
    return [
      label,
      msPerStep.toFixed(2),
      quantile(kernels, 0.5).toFixed(2),
      `${ratio.median.toFixed(2)}x`,
      gib(planBytes),
    ];
  });
  return [
    "## More experts, the same work a token",
    "All in turns. Kernels one after the other, without the optimizer, whose work grows with the parameters.",
    table(["", "ms a step", "ms of kernels", "of the first", "GiB"], rows),
  ];
}

/** @param {Figure[]} results */
export function other(results) {
  const of = (/** @type {string} */ source) => results.filter((result) => result.source === source);
  const writing = of("sampling").map(
    ({ preset, tokensPerSecond, submitsPerToken }) =>
      `Writing text with \`${preset}\`: ${tokensPerSecond.toFixed(0)} tokens/s, ${submitsPerToken.toFixed(2)} submits a token.`,
  );
  const reading = of("reading the loss").map(({ preset, cost, spread }) => {
    const [low, high] = spread.map((/** @type {number} */ share) => (100 * share).toFixed(2));
    return `Reading the loss of every step costs \`${preset}\` ${(100 * cost).toFixed(2)} % (in turns; half of all pairs between ${low} % and ${high} %).`;
  });
  const [short] = of("short context");
  const long = of("long context").map(({ preset, tokensPerSecond, tokensPerStep, rounds }) => {
    const speed = `\`${preset}\` with sequences of 4096 tokens: ${thousands(tokensPerSecond)}k tokens/s`;
    if (!short) return `${speed}.`;
    const ratio = (ratioOf(short.rounds, rounds).median * tokensPerStep) / short.tokensPerStep;
    return `${speed}, ${ratio.toFixed(2)} of those with its own, in turns.`;
  });
  const lines = [...writing, ...reading, ...long];
  return lines.length > 0 ? ["## Text, reading figures, and long sequences", lines.join("\n\n")] : [];
}
