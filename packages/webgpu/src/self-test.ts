// Subgroup matrices are an experimental feature of drivers. Where a device has them, one small product on them is compared with the
// same without before anything relies on them. This is loaded for such a device alone, and is handed what it shares with others.

import type { Gpu } from "./gpu";
import type { KernelTarget } from "./kernel";
import type { matmul } from "./kernels/matmul";
import type { compileProgram } from "./program/program";
import type { Recording } from "./program/recording";

/** What the test computes a product with. */
export interface Workshop {
  matmul: typeof matmul;
  compileProgram: typeof compileProgram;
  Recording: typeof Recording;
}

/** Rows and columns of the product, one tile, and its terms, two steps along the sum. */
const [SIZE, TERMS] = [64, 128];

/** Largest error of an element, relative to the larger of 1 and it. Operands are exact in f16, so sums differ by rounding in f32 alone. */
const TOLERANCE = 1e-4;

/**
 * The target of a device that has matrix units, without them where a product on them is wrong; `warn` is then told so in one line,
 * about the device called `name`. `product` stands for the kernel that is tested.
 */
export async function testedTarget(
  gpu: Gpu,
  name: string,
  warn: (message: string) => void,
  workshop: Workshop,
  product = workshop.matmul,
): Promise<KernelTarget> {
  const fault = await matrixUnitsFault(gpu, workshop, product);
  if (fault === undefined) return gpu.target;
  warn(
    `openGpu: matrix units of ${name} are not used, because ${fault}: products take longer without them; ` +
      "a newer graphics driver may help",
  );
  return { ...gpu.target, matrixUnits: false };
}

/** What is wrong with products on matrix units, in words; undefined where nothing is. */
async function matrixUnitsFault(gpu: Gpu, workshop: Workshop, kernel: typeof matmul): Promise<string | undefined> {
  const expected = await productOf(gpu, workshop, workshop.matmul, { ...gpu.target, matrixUnits: false });
  // A shader that the driver refuses must not be taken for a fault of the device.
  gpu.device.pushErrorScope("validation");
  const tested = productOf(gpu, workshop, kernel, { ...gpu.target, precision: "mixed" });
  const actual = await tested.catch((error: Error) => error);
  const refused = await gpu.device.popErrorScope();
  if (refused || actual instanceof Error) return `their shader fails: ${firstLine(refused ?? (actual as Error))}`;
  const errors = actual.map((value, i) => Math.abs(value - expected[i]!) / Math.max(1, Math.abs(expected[i]!)));
  const worst = Math.max(...errors);
  return worst <= TOLERANCE ? undefined : `a product on them is off by ${Number(worst.toPrecision(2))}`;
}

const firstLine = ({ message }: { message: string }) => message.trim().split("\n")[0]!;

/** a b^T of two fixed matrices. */
async function productOf(
  gpu: Gpu,
  { Recording, compileProgram }: Workshop,
  kernel: typeof matmul,
  target: KernelTarget,
): Promise<Float32Array> {
  const [bytes, ofProduct] = [SIZE * TERMS * 4, SIZE * SIZE * 4];
  const recording = new Recording(target, gpu.limits);
  const operands = recording.storage("inputs", 2 * bytes, "operands");
  const c = { storage: recording.storage("temporary", ofProduct, "product"), offset: 0, bytes: ofProduct };
  const operand = (index: number) => ({ storage: operands, offset: index * bytes, bytes });
  const sizes = { batch: 1, m: SIZE, n: SIZE, k: TERMS };
  recording.dispatch(kernel, { a: operand(0), b: operand(1), c }, sizes, { transposeA: false, transposeB: true });
  const program = await compileProgram(gpu, recording, { label: "self-test", inputs: operands, outputs: [c] });
  // Multiples of 1/64 between -1 and 1, without a pattern that a swapped row or column would leave in place.
  const values = Float32Array.from(
    { length: 2 * SIZE * TERMS },
    (_, i) => ((Math.imul(i + 1, 2654435761) >>> 25) - 64) / 64,
  );
  try {
    const [block] = await (await program.run(values.buffer)).outputs;
    return new Float32Array(block!);
  } finally {
    program.close();
  }
}
